/** @module A rotten disk: one byte is flipped in stored block files, behind the datanode's back. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Flips one byte in the middle of block files below a node's directory, of at most `limit`; returns of how many. */
export async function spoilBlocks(
  nodeDirectory: string,
  limit: number = Number.POSITIVE_INFINITY,
): Promise<number> {
  const root = join(nodeDirectory, 'blocks', 'blocks');
  let count = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || count >= limit) continue;
    await flipByte(join(entry.parentPath, entry.name));
    count += 1;
  }
  return count;
}

/** How many copies the node has found to be bad and taken out of service. */
export async function countQuarantined(nodeDirectory: string): Promise<number> {
  return (await readdir(join(nodeDirectory, 'blocks', 'quarantine'))).length;
}

async function flipByte(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  const position = Math.floor((await file.stat()).size / 2);
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  byte.writeUInt8(byte.readUInt8(0) ^ 0x01, 0);
  await file.write(byte, 0, 1, position);
  await file.sync();
}
