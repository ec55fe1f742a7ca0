/** @module Reading without keeping: what a piece is worth once the next one is asked for. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { MIB } from '../../src/common/bytes.ts';
import { FRAME_HEADER_BYTES, giveBackBody } from '../../src/network/frame.ts';
import { contents, gather } from './bytes.ts';
import { FileCluster } from './file-cluster.ts';

const all = contents(3 * MIB + 999, 'file');
let cluster: FileCluster;
let client: Client;
beforeAll(async () => {
  cluster = await FileCluster.start(1, 2);
  client = await cluster.client();
  await client.put('/f', all, { blockSizeBytes: MIB, replication: 2 });
});
afterAll(() => cluster.stop());

it('a transient piece is whole until the next one is asked for, and then its memory is gone', async () => {
  const pieces: Uint8Array[] = [];
  const copies: Uint8Array[] = [];
  for await (const piece of (await client.get('/f', { transient: true })).bytes) {
    pieces.push(piece);
    copies.push(Uint8Array.from(piece));
  }
  expect(Buffer.compare(Buffer.concat(copies), all)).toBe(0);
  const large = pieces.filter((_, at) => (copies[at]?.byteLength ?? 0) > 64 * 1024);
  expect(large.length).toBeGreaterThan(3);
  expect(large.map(({ byteLength }) => byteLength)).toEqual(large.map(() => 0));
});

it('a piece of another read is the reader’s for good', async () => {
  const { bytes } = await client.get('/f');
  expect(Buffer.compare(Buffer.from(await gather(bytes)), all)).toBe(0);
});

it('a body is given back with its own header, but not while others share its buffer', () => {
  const record = new Uint8Array(2 * FRAME_HEADER_BYTES + 100);
  giveBackBody(record.subarray(2 * FRAME_HEADER_BYTES));
  giveBackBody(record.subarray(FRAME_HEADER_BYTES, -1));
  expect(record.byteLength).toBe(2 * FRAME_HEADER_BYTES + 100);
  giveBackBody(record.subarray(FRAME_HEADER_BYTES));
  expect(record.byteLength).toBe(0);
});
