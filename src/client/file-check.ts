/** @module Whether files are well: of each block, which copies their datanodes really have, how many are wanted, and where. */
import { toHex } from '../common/bytes.ts';
import type { Stat } from '../namespace/schema.ts';
import type { CopyState, Holder } from '../protocol/messages.ts';
import { COPIES } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';
import { askEach, membersWithRole } from './cluster-nodes.ts';
import { type CopyPlace, isSpread } from './copy-spread.ts';
import { locateFile } from './file-reader.ts';

/** Worst last. `misplaced`: copies share a machine, a group of them or a zone although others could have them. */
const FILE_STATES = ['healthy', 'misplaced', 'under-replicated', 'corrupt', 'missing'] as const;
export type FileState = (typeof FILE_STATES)[number];

export interface CopyCheck {
  readonly node: number;
  readonly name: string;
  readonly host: string;
  /** 'good', 'absent', why it is in quarantine, or 'silent' when the datanode does not answer. */
  readonly state: string;
  /** When it was read whole last, at the earliest; 0: not known. */
  readonly verifiedMs: number;
}

export interface BlockCheck {
  readonly position: number;
  readonly hash: string;
  readonly sizeBytes: number;
  readonly copies: readonly CopyCheck[];
  readonly state: FileState;
}

export interface FileCheck {
  readonly stat: Stat;
  readonly state: FileState;
  readonly blocks: readonly BlockCheck[];
}

export interface FileCheckOptions extends OperationOptions {
  /** Have every copy read whole first. */
  readonly verify?: boolean | undefined;
}

/** Blocks of one question to a datanode; each of them is read whole when copies are verified. */
const PAGE_HASHES = 1_000;
const PAGE_VERIFIED_HASHES = 32;
const VERIFY_TIMEOUT_MS = 120_000;

export class FileChecker {
  readonly #context: ClientContext;
  readonly #options: FileCheckOptions;
  #places: Promise<readonly CopyPlace[]> | undefined;

  /** For many files of one run: which machines there are is asked once. */
  constructor(context: ClientContext, options: FileCheckOptions = {}) {
    this.#context = context;
    this.#options = options;
  }

  /** Errors: NAMESPACE_*, CLIENT_NO_METADATA. */
  async check(path: string): Promise<FileCheck> {
    const { stat, blocks, holders } = await locateFile(this.#context, path, this.#options);
    const places = await (this.#places ??= this.#findPlaces());
    const states = await this.#askHolders(
      holders,
      blocks.map(({ hash }) => hash),
    );
    const checked = blocks.map(({ hash, sizeBytes, nodes }, position) => {
      const copies = nodes.map((node) => {
        const holder = holders.find((each) => each.node === node);
        const copy = states.get(node)?.get(toHex(hash));
        const { name = '?', host = '?' } = holder ?? {};
        return { node, name, host, state: copy?.state ?? 'silent', verifiedMs: copy?.verifiedMs ?? 0 };
      });
      const state = judge(copies, stat.replication, places);
      return { position, hash: toHex(hash), sizeBytes, copies, state };
    });
    return { stat, state: worst(checked.map(({ state }) => state)), blocks: checked };
  }

  async #findPlaces(): Promise<readonly CopyPlace[]> {
    const datanodes = await membersWithRole(this.#context, 'data', this.#options);
    return datanodes
      .filter(({ liveness, drain }) => liveness !== 'dead' && !drain)
      .map(({ number: node, host, hostGroup, zone }) => ({ node, host, hostGroup, zone }));
  }

  /** What each datanode says of every block that it might have. */
  async #askHolders(
    holders: readonly Holder[],
    hashes: readonly Uint8Array[],
  ): Promise<ReadonlyMap<number, ReadonlyMap<string, CopyState>>> {
    const { signal, verify = false } = this.#options;
    const states = new Map(holders.map(({ node }) => [node, new Map<string, CopyState>()]));
    const size = verify ? PAGE_VERIFIED_HASHES : PAGE_HASHES;
    const limits = { ...(signal && { signal }), ...(verify && { timeoutMs: VERIFY_TIMEOUT_MS }) };
    for (let from = 0; from < hashes.length; from += size) {
      const page = hashes.slice(from, from + size);
      const request = { hashes: page, verify };
      for (const { member, answer } of await askEach(this.#context, holders, COPIES, request, limits))
        answer?.copies.forEach((copy, at) =>
          states.get(member.node)?.set(toHex(page[at] as Uint8Array), copy),
        );
    }
    return states;
  }
}

/** `places`: of datanodes that could have copies. */
function judge(copies: readonly CopyCheck[], wanted: number, places: readonly CopyPlace[]): FileState {
  const good = copies.filter(({ state }) => state === 'good');
  if (good.length === 0) return 'missing';
  if (copies.some(({ state }) => state === 'corrupt')) return 'corrupt';
  if (good.length < wanted) return 'under-replicated';
  const held = good.map((copy) => places.find(({ node }) => node === copy.node) ?? copy);
  return isSpread(held, places, wanted) ? 'healthy' : 'misplaced';
}

function worst(states: readonly FileState[]): FileState {
  return states.reduce<FileState>(
    (found, state) => (FILE_STATES.indexOf(state) > FILE_STATES.indexOf(found) ? state : found),
    'healthy',
  );
}
