/** @module Memory that is used again: who may have it, and how much is kept. */
import { expect, it } from 'vitest';
import { PieceMemory } from '../../src/common/piece-memory.ts';

const memoryOf = (spareBytes: number): PieceMemory => new PieceMemory({ pieceBytes: 100, spareBytes });

it('gives a piece to somebody else once it was taken back, by any part of it', () => {
  const memory = memoryOf(1000);
  const piece = memory.take();
  expect(memory.take().buffer).not.toBe(piece.buffer);
  expect(memory.takeBack(piece.subarray(10, 20))).toBe(true);
  expect(memory.take().buffer).toBe(piece.buffer);
});

it('takes nothing back that it did not give, or has got back already', () => {
  const memory = memoryOf(1000);
  const piece = memory.take();
  expect(memory.takeBack(new Uint8Array(100))).toBe(false);
  expect(memory.takeBack(piece)).toBe(true);
  expect(memory.takeBack(piece)).toBe(false);
  expect(memory.take().buffer).not.toBe(memory.take().buffer);
});

it('keeps so much, and gives the rest back to the system', () => {
  const memory = memoryOf(200);
  const pieces = [memory.take(), memory.take(), memory.take()];
  memory.free(pieces);
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([100, 100, 0]);
  memory.close();
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
});
