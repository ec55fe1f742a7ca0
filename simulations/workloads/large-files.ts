/** @module Files of more blocks than one command takes: a copy of one is all of it, and as many copies are asked for of it as were said last. */
import type { BlockRef, CreateFile } from '../../src/namespace/schema.ts';
import { MAX_BLOCKS_PER_COMMAND, MIN_BLOCK_SIZE_BYTES } from '../../src/namespace/limits.ts';
import type { Journal, Outcome } from '../cluster/journal.ts';
import type { Client } from '../../src/client/client.ts';
import { contentOf } from './content.ts';
import type { Actor, Workload, WorkloadComponents } from './workload.ts';

const SOURCE = '/large';
/** One block each; a large file consists of nothing but these, again and again, so that it costs no more than they do. */
const PIECES = ['/large-piece-1', '/large-piece-2'] as const;
/** Two parts of a copy, and pages of the namespace at whose edges neither begins with the same piece. */
const BLOCKS: number = MAX_BLOCKS_PER_COMMAND + 100;
const SIZE_BYTES: number = BLOCKS * MIN_BLOCK_SIZE_BYTES;
/** Read on either side of the edge between two blocks, in bytes. */
const EDGE_BYTES = 32;
const MOST_COPIES = 3;
/** Other files refer to the blocks all the while: they were never written too long ago. */
const NO_ERA_IS_LATER: number = 2 ** 31;
const NOT_THERE = 'NAMESPACE_NOT_FOUND';

interface Copy {
  /** A copy that was acknowledged stays, and is replaced by nothing but another. */
  isThere: boolean;
  /** Undefined while an answer that did not come may have changed it. */
  replication: number | undefined;
}

export class LargeFiles implements Workload {
  readonly #journal: Journal;
  /** By client: its own, so that nobody else changes them. */
  readonly #copies = new Map<number, Copy>();
  #pieces: readonly Uint8Array[] = [];
  #replication = 0;

  constructor({ journal }: WorkloadComponents) {
    this.#journal = journal;
  }

  async setUp(admin: Actor): Promise<void> {
    const { client } = admin;
    this.#pieces = PIECES.map((_, place) => contentOf(place + 1, MIN_BLOCK_SIZE_BYTES));
    for (const [place, path] of PIECES.entries()) await client.put(path, this.#piece(place));
    await writeLargeFile(admin, await Promise.all(PIECES.map((path) => blockOf(client, path))));
    this.#replication = (await client.stat(SOURCE)).replication;
  }

  async step(actor: Actor): Promise<void> {
    const step = actor.random.int(10);
    if (step < 3) return this.#copy(actor);
    if (step < 5) return this.#replicate(actor);
    await this.#read(actor, actor.random.chance(0.5) ? SOURCE : copyOf(actor.id));
  }

  async check(actors: readonly Actor[]): Promise<void> {
    for (const actor of actors) {
      const paths = this.#copyFor(actor.id).isThere ? [SOURCE, copyOf(actor.id)] : [SOURCE];
      for (const path of paths) if ((await this.#read(actor, path)) !== 'done') this.#journal.cannotGet(path);
    }
  }

  async #copy({ id, client }: Actor): Promise<void> {
    const copy = this.#copyFor(id);
    const { outcome } = await this.#journal.attempt({ client: id, what: `copy ${SOURCE}` }, () =>
      client.copy(SOURCE, copyOf(id)),
    );
    if (outcome === 'done') Object.assign(copy, { isThere: true, replication: this.#replication });
    else if (outcome === 'unknown') copy.replication = undefined;
  }

  async #replicate({ id, client, random }: Actor): Promise<void> {
    const copy = this.#copyFor(id);
    const wanted = random.between(1, MOST_COPIES);
    const what = `ask for ${wanted} copies of ${copyOf(id)}`;
    const { outcome } = await this.#journal.attempt({ client: id, what, ...mayRefuse(copy) }, () =>
      client.setReplication(copyOf(id), wanted),
    );
    if (outcome === 'done') copy.replication = wanted;
    else if (outcome === 'unknown') copy.replication = undefined;
  }

  /** What the namespace says of it, and what is on both sides of some edge between two blocks. */
  async #read({ id, client, random }: Actor, path: string): Promise<Outcome> {
    const copy = path === SOURCE ? { isThere: true, replication: this.#replication } : this.#copyFor(id);
    const edge = random.pick([MAX_BLOCKS_PER_COMMAND, random.between(1, BLOCKS - 1)]);
    const operation = { client: id, what: `read ${path} at block ${edge}`, ...mayRefuse(copy) };
    const { outcome } = await this.#journal.attempt(operation, async () => {
      const { sizeBytes, replication } = await client.stat(path);
      if (sizeBytes !== SIZE_BYTES) this.#journal.violate(`${path} has ${sizeBytes} bytes of ${SIZE_BYTES}`);
      if (copy.replication !== undefined && replication !== copy.replication)
        this.#journal.violate(`${path} is kept ${replication} times, not ${copy.replication}`);
      if (!(await this.#edgeOf(client, path, edge)).equals(this.#edge(edge)))
        this.#journal.violate(`${path} is not what it should be at block ${edge}`);
    });
    return outcome;
  }

  async #edgeOf(client: Client, path: string, edge: number): Promise<Buffer> {
    const offset = edge * MIN_BLOCK_SIZE_BYTES - EDGE_BYTES;
    const { bytes } = await client.get(path, { offset, length: 2 * EDGE_BYTES });
    const pieces: Uint8Array[] = [];
    for await (const piece of bytes) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  #edge(edge: number): Buffer {
    const before = this.#piece(pieceAt(edge - 1)).subarray(-EDGE_BYTES);
    return Buffer.concat([before, this.#piece(pieceAt(edge)).subarray(0, EDGE_BYTES)]);
  }

  #piece(place: number): Uint8Array {
    const piece = this.#pieces[place];
    if (piece === undefined) throw new RangeError(`There is no piece ${place}.`);
    return piece;
  }

  #copyFor(client: number): Copy {
    const copy = this.#copies.get(client) ?? { isThere: false, replication: undefined };
    this.#copies.set(client, copy);
    return copy;
  }
}

/** The parts that one command takes, one after the other, and nobody else is there yet. */
async function writeLargeFile({ mutations }: Actor, pieces: readonly BlockRef[]): Promise<void> {
  const { kind } = await mutations.run({ $case: 'createFile', value: newFile() });
  if (kind?.$case !== 'grant') throw new Error(`${SOURCE} was not granted to its writer`);
  const { inode, fencingToken } = kind.value;
  const all = Array.from({ length: BLOCKS }, (_, index) => pieces[pieceAt(index)] as BlockRef);
  for (let firstBlock = 0; firstBlock < BLOCKS; firstBlock += MAX_BLOCKS_PER_COMMAND) {
    const blocks = all.slice(firstBlock, firstBlock + MAX_BLOCKS_PER_COMMAND);
    const value = { inode, fencingToken, firstBlock, blocks, writtenEra: NO_ERA_IS_LATER };
    await mutations.run({ $case: 'appendBlocks', value });
  }
  const value = { inode, fencingToken, precondition: undefined, mtimeMs: 0 };
  await mutations.run({ $case: 'closeFile', value });
}

async function blockOf(client: Client, path: string): Promise<BlockRef> {
  const [block] = (await client.locate(path)).blocks;
  if (block === undefined) throw new Error(`${path} has no block`);
  return { hash: block.hash, sizeBytes: block.sizeBytes };
}

/** 64 and 1,024 leave one over: a page or a part too many or too few is seen. */
function pieceAt(block: number): 0 | 1 {
  return block % 3 === 0 ? 0 : 1;
}

function copyOf(client: number): string {
  return `/large-copy-${client}`;
}

function mayRefuse({ isThere }: Copy): { readonly mayRefuse: readonly string[] } {
  return { mayRefuse: isThere ? [] : [NOT_THERE] };
}

function newFile(): CreateFile {
  const unsaid = { parents: false, leaseMs: 0, precondition: undefined, complete: false, blocks: [] };
  return {
    ...unsaid,
    path: SOURCE,
    replication: 0,
    blockSizeBytes: MIN_BLOCK_SIZE_BYTES,
    mtimeMs: 0,
    attributes: undefined,
  };
}
