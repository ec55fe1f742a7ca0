/** @module Whose frames are passed on, whose are refused, and what becomes of those that come before that is known. */
import { beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import { notAMember, unreachable } from '../../src/network/errors.ts';
import { FrameKind, MAX_BODY_BYTES, MAX_STRANGER_BODY_BYTES } from '../../src/network/frame.ts';
import { type Frame, FrameAdmission } from '../../src/network/frame-admission.ts';
import type { TrafficClass } from '../../src/network/network.ts';
import { ManualClock, settle } from '../manual-clock.ts';

/** A yes counts so long. */
const ADMISSION_MS = 5_000;
const MAX_HELD_FRAMES = 16_384;
const LEFT = notAMember('peer', 'control');

let clock: ManualClock;
let verdict: boolean | Promise<boolean>;
let questions: number;
let passed: string[];
let stream: Record<'pause' | 'resume' | 'limitBody' | 'abort', Mock<() => void>>;
let refuseAll: Error | undefined;

beforeEach(() => {
  clock = new ManualClock();
  verdict = true;
  questions = 0;
  passed = [];
  refuseAll = undefined;
  stream = { pause: vi.fn(), resume: vi.fn(), limitBody: vi.fn(), abort: vi.fn() };
});

describe('a member', () => {
  it('is heard at once, and asked about again only when a while has passed', () => {
    const admission = admissionTo('control');
    for (let id = 1; id <= 3; id += 1) admission.receive(frame(id));
    expect(passed).toEqual(['served 1', 'served 2', 'served 3']);
    expect(questions).toBe(1);
    expect(stream.limitBody).toHaveBeenLastCalledWith(MAX_BODY_BYTES);
  });

  it('is not heard any more a while after it was removed, and has to be brief again', async () => {
    const admission = admissionTo('control');
    verdict = false;
    await clock.advance(ADMISSION_MS - 1);
    admission.receive(frame(1));
    await clock.advance(1);
    admission.receive(frame(2));
    await settle();
    expect(passed).toEqual(['served 1', `refused 2 ${LEFT.code}`]);
    expect(stream.limitBody).toHaveBeenLastCalledWith(MAX_STRANGER_BODY_BYTES);
  });

  it('is let in to join as everybody is, and may say no more there than a stranger', () => {
    admissionTo('join').receive(frame(1));
    expect(passed).toEqual(['served 1']);
    expect(stream.limitBody).not.toHaveBeenCalledWith(MAX_BODY_BYTES);
  });
});

describe('a peer of whom nobody knows yet who it is', () => {
  let answer: PromiseWithResolvers<boolean>;
  beforeEach(() => {
    answer = Promise.withResolvers();
    verdict = answer.promise;
  });

  it('sends no more meanwhile, and then is heard in order', async () => {
    const admission = admissionTo('control');
    for (let id = 1; id <= 3; id += 1) admission.receive(frame(id));
    expect(stream.pause).toHaveBeenCalledOnce();
    expect(passed).toEqual([]);
    answer.resolve(true);
    await settle();
    expect(passed).toEqual(['served 1', 'served 2', 'served 3']);
    expect(stream.resume).toHaveBeenCalledOnce();
    expect(questions).toBe(1);
  });

  it('is refused when it is a stranger, and asked about again with its next frame', async () => {
    const admission = admissionTo('control');
    admission.receive(frame(1));
    answer.resolve(false);
    await settle();
    verdict = true;
    admission.receive(frame(2));
    expect(passed).toEqual([`refused 1 ${LEFT.code}`, 'served 2']);
  });

  it.each([
    {
      what: 'why, when that cannot be told now',
      cause: unreachable('somebody', 'it is away'),
      code: 'NETWORK_UNREACHABLE',
    },
    { what: 'no more than that, when the question itself fails', cause: new Error('a bug'), code: LEFT.code },
  ])('is told $what', async ({ cause, code }) => {
    const admission = admissionTo('control');
    admission.receive(frame(1));
    answer.reject(cause);
    await settle();
    expect(passed).toEqual([`refused 1 ${code}`]);
  });

  it('may not have more waiting than anybody may have unanswered', () => {
    const admission = admissionTo('control');
    for (let id = 1; id <= MAX_HELD_FRAMES; id += 1) admission.receive(frame(id));
    expect(() => admission.receive(frame(0))).toThrow(/more frames than may wait/);
  });

  it('loses its stream, and the process nothing, when a frame that waited breaks the protocol', async () => {
    const admission = admissionTo('control');
    admission.receive(frame(1));
    refuseAll = new Error('broken');
    answer.resolve(true);
    await settle();
    expect(stream.abort).toHaveBeenCalledWith(refuseAll);
    expect(stream.resume).not.toHaveBeenCalled();
  });

  it('is not heard when its stream has ended meanwhile', async () => {
    const admission = admissionTo('control');
    admission.receive(frame(1));
    admission.end();
    answer.resolve(true);
    await settle();
    expect(passed).toEqual([]);
  });
});

function admissionTo(trafficClass: TrafficClass): FrameAdmission {
  const admits = (): boolean | Promise<boolean> => {
    questions += 1;
    return verdict;
  };
  const note = (what: string): void => {
    if (refuseAll !== undefined) throw refuseAll;
    passed.push(what);
  };
  const admission = new FrameAdmission(
    { stream, clock, logger: silentLogger, admits },
    { peer: 'peer', trafficClass },
    {
      serve: ({ id }) => note(`served ${id}`),
      refuse: ({ code }, { id }) => note(`refused ${id} ${code}`),
    },
  );
  admission.start();
  return admission;
}

function frame(id: number): Frame {
  return { kind: FrameKind.request, id, argument: 0, body: new Uint8Array(0) };
}
