/** @module Frames survive any cutting of the byte stream, and broken ones are refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FRAME_HEADER_BYTES,
  FrameKind,
  FrameReader,
  methodHead,
  splitMethod,
  writeFrameHeader,
} from '../../src/network/frame.ts';

type Frame = { kind: FrameKind; id: number; argument: number; body: Uint8Array };

const frames = fc.array(
  fc.record({
    kind: fc.constantFrom(...Object.values(FrameKind)),
    id: fc.nat({ max: 0xffff_ffff }),
    argument: fc.nat({ max: 0xffff_ffff }),
    body: fc.uint8Array({ maxLength: 50 }),
  }),
  { maxLength: 8 },
);

function encode(frame: Frame): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.body.byteLength);
  writeFrameHeader(new DataView(bytes.buffer), 0, { ...frame, bodyBytes: frame.body.byteLength });
  bytes.set(frame.body, FRAME_HEADER_BYTES);
  return bytes;
}

/** Pieces of one data frame come in a row with the same id: joined, they are the body. */
function read(chunks: readonly Uint8Array[]): Frame[] {
  const seen: Frame[] = [];
  const reader = new FrameReader((kind, id, argument, body) => seen.push({ kind, id, argument, body }));
  for (const chunk of chunks) reader.push(chunk);
  return seen;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function whole(list: readonly Frame[]): unknown[] {
  return list
    .filter(({ kind }) => kind !== FrameKind.data)
    .map(({ kind, id, argument, body }) => [kind, id, argument, hex(body)]);
}

function data(list: readonly Frame[]): string {
  return list
    .filter(({ kind }) => kind === FrameKind.data)
    .map(({ body }) => hex(body))
    .join('');
}

describe('FrameReader', () => {
  it('gives back the frames that were written, however the bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (written, cuts) => {
        const bytes = Buffer.concat(written.map(encode));
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.byteLength; i += 1) {
          const size = cuts[i % cuts.length] ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const seen = read(chunks);
        expect(whole(seen)).toEqual(whole(written));
        expect(data(seen)).toBe(data(written));
      }),
    );
  });

  it('refuses an unknown kind and a body beyond the limit, before it takes memory for it', () => {
    const tooLarge = { kind: FrameKind.request, id: 1, argument: 0, body: new Uint8Array(65) };
    const reader = new FrameReader(() => {});
    reader.limitBytes = 64;
    expect(() => reader.push(encode(tooLarge).subarray(0, FRAME_HEADER_BYTES))).toThrow(/65 bytes, limit 64/);
    const unknown = encode({ ...tooLarge, body: new Uint8Array(0) });
    unknown[4] = 99;
    expect(() => new FrameReader(() => {}).push(unknown)).toThrow(/unknown kind 99/);
  });

  it('splits a method from its body, and refuses a body shorter than the name it announces', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60 }), fc.uint8Array(), (method, rest) => {
        fc.pre(method.isWellFormed());
        const body = new Uint8Array(Buffer.concat([methodHead(method), rest]));
        expect(splitMethod(body)).toEqual({ method, rest });
      }),
    );
    expect(() => splitMethod(new Uint8Array([5, 97]))).toThrow(/shorter than its method name/);
    expect(() => splitMethod(new Uint8Array(0))).toThrow(/shorter than its method name/);
  });
});
