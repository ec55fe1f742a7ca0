/** @module peers.json: the nodes as last heard of, metadata nodes first, for a start at which those of node.json have gone. */
import { readFile } from 'node:fs/promises';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { Member } from '../namespace/schema.ts';
import { writeDurably } from './durable-file.ts';
import { systemCode } from './errors.ts';
import { type BootstrapPeer, isBootstrapPeer } from './node-config.ts';

const IDLE_MS = 1_000;
/** Metadata nodes kept in the file, those of now before those of earlier. */
const MAX_BOOK_PEERS = 64;

/** Datanodes kept besides: they tell where the metadata nodes are when all of those have moved. */
const MAX_BOOK_DATANODES = 32;

export interface PeerBookOptions {
  /** The members as heard of up to now; none while nothing was heard. */
  readonly members: () => readonly Member[];
  /** Metadata nodes known before. Whoever starts without a namespace keeps them: one may come back, or know another. */
  readonly earlier: readonly BootstrapPeer[];
}

/** Keeps the file in step with what the node hears; writes only when that has changed. */
export class PeerBook implements BackgroundWorker {
  readonly name = 'peer-book';
  readonly idleMs: number = IDLE_MS;
  readonly #file: string;
  readonly #options: PeerBookOptions;
  #written = '';
  /** As the file has them: members are replaced, never changed. */
  #kept: readonly Member[] = [];

  constructor(file: string, options: PeerBookOptions) {
    this.#file = file;
    this.#options = options;
  }

  async work(): Promise<WorkState> {
    const members = this.#options.members();
    if (members === this.#kept) return 'idle';
    const nodes = members.filter(({ state }) => state === 'active');
    const current = nodes.filter(({ roles }) => roles.includes('meta')).map(asBootstrapPeer);
    if (current.length === 0) return 'idle';
    const others = nodes
      .filter(({ roles }) => roles.includes('data') && !roles.includes('meta'))
      .map((node): BootstrapPeer => ({ ...asBootstrapPeer(node), isDatanode: true }))
      .slice(0, MAX_BOOK_DATANODES);
    const book = [...mergedPeers(current, this.#options.earlier), ...others];
    const text = `${JSON.stringify(book, undefined, 2)}\n`;
    if (text !== this.#written) await writeDurably(this.#file, text);
    this.#written = text;
    this.#kept = members;
    return 'idle';
  }
}

function asBootstrapPeer({ number, peer, addresses }: Member): BootstrapPeer {
  return { number, peer, addresses };
}

/** Each peer once, as `first` has it; at most MAX_BOOK_PEERS. */
export function mergedPeers(
  first: readonly BootstrapPeer[],
  then: readonly BootstrapPeer[],
): readonly BootstrapPeer[] {
  const known = new Set(first.map(({ peer }) => peer));
  return [...first, ...then.filter(({ peer }) => !known.has(peer))].slice(0, MAX_BOOK_PEERS);
}

/** Undefined where there is no file yet; a damaged one is as good as none, as node.json names some peers, too. */
export async function loadPeers(file: string, logger: Logger): Promise<readonly BootstrapPeer[] | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (Array.isArray(value) && value.every(isBootstrapPeer)) return value;
    logger.warn('peers.damaged', { file });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') logger.warn('peers.damaged', { file, error: describeError(error) });
  }
  return undefined;
}
