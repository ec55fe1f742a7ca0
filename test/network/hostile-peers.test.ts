/** @module Peers that keep to no rule: what they get, and what is kept for them. */
import { describe, expect, it } from 'vitest';
import { KIB, MIB, utf8 } from '../../src/common/bytes.ts';
import { systemClock } from '../../src/common/clock.ts';
import { type Logger, silentLogger } from '../../src/common/logger.ts';
import type { ByteStream, ByteStreamListener } from '../../src/network/byte-stream.ts';
import { decodeError } from '../../src/network/errors.ts';
import {
  FRAME_HEADER_BYTES,
  FrameKind,
  MAX_STRANGER_BODY_BYTES,
  methodHead,
  writeFrameHeader,
} from '../../src/network/frame.ts';
import { FramedStream } from '../../src/network/framed-stream.ts';
import { HandlerTable } from '../../src/network/handler-table.ts';
import { InboundSession } from '../../src/network/inbound-session.ts';
import { memoryStreamPair } from '../../src/network/memory-stream.ts';
import { serve } from '../../src/network/method.ts';
import type { Authorizer, Network, RequestHandler, TrafficClass } from '../../src/network/network.ts';
import { RECEIVE_BUDGET_BYTES, ReceiveBudget } from '../../src/network/receive-budget.ts';
import type { FrameStream } from '../../src/network/transport.ts';

const NO_BYTES = new Uint8Array(0);
const LONG_MS = 60_000;
const A_REQUEST = { kind: FrameKind.request, argument: LONG_MS } as const;

interface House {
  readonly handlers?: HandlerTable;
  readonly admits?: () => ReturnType<Authorizer>;
  readonly logger?: Logger;
}

function open(stream: FrameStream, trafficClass: TrafficClass, house: House = {}): void {
  const { handlers = new HandlerTable(), admits = () => true, logger = silentLogger } = house;
  const budget = new ReceiveBudget({ limitBytes: RECEIVE_BUDGET_BYTES });
  new InboundSession(
    { stream, handlers, clock: systemClock, logger, budget, admits, closed: () => undefined },
    { localPeer: 'house', peer: 'guest', trafficClass },
  ).start();
}

interface Guest {
  send(kind: FrameKind, id: number, method: string, body?: Uint8Array): void;
  /** What came back, as kind and id, and the code of an error. */
  readonly got: unknown[];
  readonly closed: Promise<unknown>;
}

/** The other end of a stream to a session. */
function guestOf(trafficClass: TrafficClass, house: House = {}): Guest {
  const [ours, theirs] = memoryStreamPair((deliver) => queueMicrotask(deliver));
  const got: unknown[] = [];
  const closed = Promise.withResolvers<unknown>();
  theirs.listen({
    frame: (kind, id, _argument, body) => {
      const isError = kind === FrameKind.failure || kind === FrameKind.abort;
      got.push(isError ? [kind, id, decodeError(body).code] : [kind, id]);
    },
    closed: closed.resolve,
  });
  open(ours, trafficClass, house);
  const send: Guest['send'] = (kind, id, method, body = NO_BYTES) =>
    void theirs.send(kind, id, LONG_MS, method === '' ? NO_BYTES : methodHead(method), body);
  return { send, got, closed: closed.promise };
}

/** The bytes of a peer that sends and never reads. */
class DeafBytes implements ByteStream {
  readonly copies = false;
  aborted: Error | undefined;
  #listener: ByteStreamListener | undefined;

  listen(listener: ByteStreamListener): void {
    this.#listener = listener;
  }

  feed(chunk: Uint8Array): void {
    this.#listener?.bytes(chunk);
  }

  /** Many at a time, as one read brings them. */
  ask(count: number, firstId: number): void {
    const head = methodHead('ask');
    const frameBytes = FRAME_HEADER_BYTES + head.byteLength;
    const chunk = new Uint8Array(count * frameBytes);
    const view = new DataView(chunk.buffer);
    for (let nth = 0; nth < count; nth += 1) {
      const frame = { ...A_REQUEST, id: firstId + nth, bodyBytes: head.byteLength };
      writeFrameHeader(view, nth * frameBytes, frame);
      chunk.set(head, nth * frameBytes + FRAME_HEADER_BYTES);
    }
    this.feed(chunk);
  }

  send(): boolean {
    return false;
  }

  pause(): void {}
  resume(): void {}
  abort(cause: Error): void {
    this.aborted ??= cause;
  }
  async close(): Promise<void> {}
}

function handling(trafficClass: TrafficClass, handler: RequestHandler): HandlerTable {
  const handlers = new HandlerTable();
  handlers.addRequest(trafficClass, 'ask', handler);
  return handlers;
}

const never: RequestHandler = () => new Promise(() => {});

describe('a stranger', () => {
  it.each(['join', 'control', 'raft'] as const)(
    'is given no channel on a stream for %s',
    async (trafficClass) => {
      const handlers = new HandlerTable();
      const opened: string[] = [];
      handlers.addChannel('block.read', async ({ peer }) => void opened.push(peer));
      const guest = guestOf(trafficClass, { handlers });
      guest.send(FrameKind.open, 1, 'block.read');
      await expect.poll(() => guest.got).toEqual([[FrameKind.abort, 1, 'NETWORK_NO_SUCH_METHOD']]);
      expect(opened).toEqual([]);
      const member = guestOf('bulk', { handlers });
      member.send(FrameKind.open, 1, 'block.read');
      await expect.poll(() => opened).toEqual(['guest']);
    },
  );

  it('may say no more on a stream for joining than where it was not let in', async () => {
    const handlers = handling('join', async () => NO_BYTES);
    const guest = guestOf('join', { handlers });
    guest.send(
      FrameKind.request,
      1,
      'ask',
      new Uint8Array(MAX_STRANGER_BODY_BYTES - methodHead('ask').length),
    );
    await expect.poll(() => guest.got).toEqual([[FrameKind.response, 1]]);
    guest.send(FrameKind.request, 2, 'ask', new Uint8Array(MAX_STRANGER_BODY_BYTES));
    expect(await guest.closed).toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
  });

  it('has a few requests served at once, and no more', async () => {
    const guest = guestOf('join', { handlers: handling('join', never) });
    for (let id = 1; id <= 20; id += 1) guest.send(FrameKind.request, id, 'ask');
    const refused = [17, 18, 19, 20].map((id) => [FrameKind.failure, id, 'NETWORK_OVERLOADED']);
    await expect.poll(() => guest.got).toEqual(refused);
  });
});

describe('a frame that breaks the protocol', () => {
  it('ends its stream, and not the process, also where it had to wait for the verdict', async () => {
    const verdict = Promise.withResolvers<boolean>();
    const bytes = new DeafBytes();
    open(new FramedStream(bytes), 'control', { admits: () => verdict.promise });
    const empty = new Uint8Array(FRAME_HEADER_BYTES);
    writeFrameHeader(new DataView(empty.buffer), 0, { ...A_REQUEST, id: 1, bodyBytes: 0 });
    bytes.feed(empty);
    verdict.resolve(true);
    await expect.poll(() => bytes.aborted).toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
  });

  it('is a second request under a number that is not answered: so no peer has more than its share served', async () => {
    const guest = guestOf('control', { handlers: handling('control', never) });
    guest.send(FrameKind.request, 7, 'ask');
    guest.send(FrameKind.request, 7, 'ask');
    expect(await guest.closed).toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
  });

  it('is a second channel under the number of an open one', async () => {
    const handlers = new HandlerTable();
    handlers.addChannel('sink', () => new Promise(() => {}));
    const guest = guestOf('bulk', { handlers });
    guest.send(FrameKind.open, 7, 'sink');
    guest.send(FrameKind.open, 7, 'sink');
    expect(await guest.closed).toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
  });
});

describe('a request that cannot be read', () => {
  it('is the fault of whoever sent it: it is told, and the log is not filled', async () => {
    const handlers = new HandlerTable();
    const codec = {
      encode: (): never => {
        throw new Error('never asked');
      },
      decode: (): never => {
        throw new RangeError('index out of range');
      },
    };
    const onRequest = (...handler: Parameters<HandlerTable['addRequest']>): void =>
      handlers.addRequest(...handler);
    const network = { onRequest } as unknown as Network;
    const method = { name: 'ask', trafficClass: 'join', request: codec, response: codec } as const;
    serve(network, method as never, async () => NO_BYTES as never);
    const logged: string[] = [];
    const logger: Logger = { ...silentLogger, error: (event) => void logged.push(event) };
    const guest = guestOf('join', { handlers, logger });
    guest.send(FrameKind.request, 1, 'ask', utf8('nonsense'));
    await expect.poll(() => guest.got).toEqual([[FrameKind.failure, 1, 'NETWORK_UNREADABLE']]);
    expect(logged).toEqual([]);
  });
});

/** Asks until it is cut off, or `limit` times, and returns the most that was kept for it meanwhile, in bytes. */
async function askOn(bytes: DeafBytes, stream: FramedStream, limit: number): Promise<number> {
  let most = 0;
  for (let id = 1; id < limit && bytes.aborted === undefined; id += 4_096) {
    bytes.ask(4_096, id);
    most = Math.max(most, stream.queuedBytes);
    // The verdict, if one is asked for, and the answers.
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, stream.queuedBytes);
  }
  return most;
}

describe('a peer that asks on and reads no answer', () => {
  it.each([
    ['control', async () => false],
    ['join', () => true],
  ] satisfies [TrafficClass, () => ReturnType<Authorizer>][])(
    'is cut off on %s, when it is a stranger, before much is kept for it',
    async (trafficClass, admits) => {
      const bytes = new DeafBytes();
      const stream = new FramedStream(bytes);
      open(stream, trafficClass, { admits });
      const most = await askOn(bytes, stream, 200_000);
      expect(bytes.aborted).toMatchObject({ code: 'NETWORK_OVERLOADED' });
      expect(most).toBeLessThan(4 * MIB);
    },
  );

  it('is cut off as a member, too, when it asks more than a member may', async () => {
    const bytes = new DeafBytes();
    const stream = new FramedStream(bytes);
    open(stream, 'control', { handlers: handling('control', async () => new Uint8Array(8 * KIB)) });
    const most = await askOn(bytes, stream, 400_000);
    expect(bytes.aborted).toMatchObject({ code: 'NETWORK_BROKEN_FRAME' });
    expect(most).toBeLessThan(64 * MIB);
  });
});
