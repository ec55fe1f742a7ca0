/** @module A metadata node's side of the index protocol: checks what peers say, then asks the table. */
import { badBatch, notYourNode, staleGeneration } from './errors.ts';
import { shardOfPrefix } from './hash-prefix.ts';
import type { LocationTable } from './location-table.ts';
import type {
  AnnounceRequest,
  AnnounceResponse,
  CompareRequest,
  CompareResponse,
  HoldingsRequest,
  HoldingsResponse,
  LookupRequest,
  LookupResponse,
  PullRequest,
  PullResponse,
  RingHint,
} from './messages.ts';
import { countPacked, MAX_BATCH_HASHES } from './packed-hashes.ts';
import { type PatientOutcome, PatientTable } from './patient-table.ts';
import type { MetadataRing } from './ports.ts';
import { PullAnswer } from './pull-answer.ts';
import { shardOfPacked } from './shard.ts';
import { countOf, DIGEST_SIZE_BYTES, ShardDigests } from './shard-digests.ts';
import type { ShardLedger } from './shard-ledger.ts';
import { ShardSet } from './shard-set.ts';
import type { TellingTurns } from './telling-turns.ts';

/** Prefixes of one announcement or pull. */
export const MAX_PREFIXES = 4096;

const NOTHING_HELD = new ShardDigests();

/** What a datanode says of itself in a heartbeat: the digest over the shards of this holder. */
export interface HeldRoot {
  readonly node: number;
  readonly generation: number;
  readonly epoch: number;
  /** Of the last batch this holder took. */
  readonly sequence: number;
  readonly root: Uint8Array;
}

export interface LocationServerComponents {
  readonly table: LocationTable;
  readonly ledger: ShardLedger;
  readonly ring: MetadataRing;
  /** Numbers of the datanodes that may hold blocks nobody knows of yet: all that are not dead. */
  readonly awaited: () => readonly number[];
  /** Whether this number is, or may yet prove to be, a datanode of the cluster. */
  readonly isDatanode: (node: number) => boolean;
  readonly turns: TellingTurns;
}

export interface LocationServerOptions {
  /** Identity of this table's life. The table is lost with the process, so a new one each start. */
  readonly boot: string;
}

/**
 * Free of side effects beyond table and ledger; the shell authenticates the caller and moves the bytes. What needs the
 * table answers at once while what it needs is in memory, and with a promise where it has to be read from disk.
 */
export class LocationServer {
  readonly boot: string;
  readonly #components: LocationServerComponents;
  readonly #patient: PatientTable;

  constructor(components: LocationServerComponents, options: LocationServerOptions) {
    this.#components = components;
    this.#patient = new PatientTable(components.table);
    this.boot = options.boot;
  }

  /**
   * Takes a batch from the member numbered `callerNode`, as its authenticated peer id says. `taken` lower than sent means
   * the rest must be sent again. Also takes what belongs elsewhere by now, and says so: it will be handed over or dropped.
   * Throws, or rejects with, DHT_BAD_BATCH, DHT_NOT_YOUR_NODE, DHT_STALE_GENERATION, DHT_TOO_MANY_NODES, DHT_STOPPED.
   */
  announce(callerNode: number, request: AnnounceRequest): AnnounceResponse | Promise<AnnounceResponse> {
    if (request.node !== callerNode) throw notYourNode(callerNode, request.node);
    refuseLarge(countPacked(request.added) + countPacked(request.removed), MAX_BATCH_HASHES);
    refuseLarge(request.whole.length, MAX_PREFIXES);
    const { isDatanode } = this.#components;
    const outcome = this.#patient.announce(request, () => isDatanode(request.node));
    return outcome instanceof Promise
      ? outcome.then((known) => this.#announced(request, known))
      : this.#announced(request, outcome);
  }

  #announced(request: AnnounceRequest, outcome: PatientOutcome): AnnounceResponse {
    if (outcome.kind === 'stale-generation')
      throw staleGeneration(request.node, outcome.known, request.generation);
    this.#components.ledger.agreements.hear(request.node, request.generation);
    const taken = outcome.kind === 'taken' ? outcome.taken : 0;
    return { boot: this.boot, taken, ring: this.#hint(request.epoch) };
  }

  /** Throws DHT_BAD_BATCH; rejects with DHT_STOPPED. */
  lookup(request: LookupRequest): LookupResponse | Promise<LookupResponse> {
    refuseLarge(countPacked(request.hashes), MAX_BATCH_HASHES);
    return this.#patient.withRows([request.hashes], () => this.#lookup(request));
  }

  #lookup({ hashes, epoch }: LookupRequest): LookupResponse {
    const { table, ledger } = this.#components;
    const found = table.lookup(hashes);
    const incomplete: number[] = [];
    found.counts.forEach((_, position) => {
      const shard = shardOfPacked(hashes, position * 32);
      if (ledger.isComplete(shard)) return;
      incomplete.push(position);
      ledger.ask(shard);
    });
    return { ...found, boot: this.boot, incomplete, ring: this.#hint(epoch) };
  }

  /**
   * What this datanode should send again, of the shards it names that are this node's: whether both know the same members does
   * not matter, and must not, since members change all the time on a machine where nodes are slow to answer. Throws DHT_BAD_BATCH, DHT_NOT_YOUR_NODE, DHT_STALE_GENERATION, DHT_TOO_MANY_NODES.
   */
  compare(callerNode: number, request: CompareRequest): CompareResponse {
    const { node, generation, sequence, epoch } = request;
    if (node !== callerNode) throw notYourNode(callerNode, node);
    const shards = [...ShardSet.decode(request.shards)];
    if (request.digests.byteLength !== shards.length * DIGEST_SIZE_BYTES)
      throw badBatch(`${request.digests.byteLength} bytes of digests for ${shards.length} shards`, { node });
    const { table, ledger, awaited, turns } = this.#components;
    const nothing = { boot: this.boot, wanted: [], more: false, againMs: 0, ring: this.#hint(epoch) };
    const stale = table.advance(node, generation, sequence);
    if (stale?.kind === 'stale-generation') throw staleGeneration(node, stale.known, generation);
    if (stale !== undefined) return nothing;

    const { owned, agreements } = ledger;
    const known = table.node(node)?.digests ?? NOTHING_HELD;
    const { buffer, byteOffset, byteLength } = request.digests;
    const digests = new DataView(buffer, byteOffset, byteLength);
    const same = new ShardSet();
    /** With as many records as the datanode has. */
    const differing = new Map<number, number>();
    let at = 0;
    for (const shard of shards) {
      const isOwned = owned.has(shard);
      if (isOwned && known.equals(shard, digests, at)) same.add(shard);
      else if (isOwned) differing.set(shard, countOf(digests, at));
      at += DIGEST_SIZE_BYTES;
    }
    agreements.hear(node, generation);
    agreements.agree(node, same);
    agreements.differ(node, differing.keys());
    ledger.settle(awaited);
    const wantedNow = [...differing.keys()].filter((shard) => ledger.wants(shard));
    const againMs = wantedNow.length === 0 ? 0 : Math.ceil(turns.waitMs(node));
    if (againMs > 0 || wantedNow.length === 0) return { ...nothing, more: differing.size > 0, againMs };
    const recordsOf = (shard: number): number => differing.get(shard) ?? 0;
    const wanted = turns.take(node, ledger.urgentFirst(wantedNow), recordsOf);
    return { ...nothing, wanted, more: wanted.length < differing.size };
  }

  /** A datanode says which start of its process this is, and may not be able to say now what it holds. */
  hear(node: number, generation: number): void {
    this.#components.ledger.agreements.hear(node, generation);
  }

  /** Whether this node knows of a datanode what it holds; undefined when they do not mean the same shards. */
  matches({ node, generation, epoch, sequence, root }: HeldRoot): boolean | undefined {
    const { table, ledger, ring, awaited } = this.#components;
    this.hear(node, generation);
    if (epoch < ring.membersSince || epoch > ring.epoch) return undefined;
    const known = table.node(node);
    // Something is, or was, on its way: it does not follow that they disagree on what was agreed on before.
    if ((known?.generation ?? 0) !== generation || (known?.sequence ?? 0) !== sequence) return false;
    const { owned, agreements } = ledger;
    const isSame = Buffer.from(root).equals((known?.digests ?? NOTHING_HELD).root(owned));
    if (isSame) agreements.agree(node, owned);
    else agreements.differ(node, owned);
    ledger.settle(awaited);
    return isSame;
  }

  holdings({ epoch }: HoldingsRequest): HoldingsResponse {
    const { ledger, ring } = this.#components;
    return {
      boot: this.boot,
      epoch: ring.epoch,
      complete: ledger.complete.encode(),
      ring: this.#hint(epoch),
    };
  }

  /** As many of the prefixes as fit into an answer, in their order, and none of a shard that is not complete here. Throws DHT_BAD_BATCH; rejects with DHT_STOPPED. */
  pull({ prefixes }: PullRequest): PullResponse | Promise<PullResponse> {
    refuseLarge(prefixes.length, MAX_PREFIXES);
    for (const prefix of prefixes) shardOfPrefix(prefix);
    const answer = new PullAnswer(this.boot);
    const waiting = this.#offer(prefixes, 0, answer);
    return waiting === undefined ? answer.encode() : waiting.then(() => answer.encode());
  }

  /** From `prefixes[from]` on. A promise once one of them has to be read from disk. */
  #offer(prefixes: readonly string[], from: number, answer: PullAnswer): Promise<void> | undefined {
    const { table, ledger } = this.#components;
    for (let at = from; at < prefixes.length && !answer.isFull; at++) {
      const prefix = prefixes[at] ?? '';
      const added = this.#patient.withPrefix(prefix, () => {
        // In one turn with looking at it: it may have been handed over, or lost, while it was read.
        if (ledger.isComplete(shardOfPrefix(prefix))) answer.add(prefix, table.below(prefix, answer.room));
      });
      if (!(added instanceof Promise)) continue;
      answer.waitedForDisk();
      return added.then(() => this.#offer(prefixes, at + 1, answer));
    }
    return undefined;
  }

  /** For a caller that chose this holder by an older membership than the one known here. */
  #hint(epoch: number): RingHint | undefined {
    const { ring } = this.#components;
    return epoch < ring.epoch ? { epoch: ring.epoch, peers: [...ring.all()] } : undefined;
  }
}

function refuseLarge(count: number, limit: number): void {
  if (count > limit) throw badBatch(`${count} entries exceed the ${limit} of one message`, { count });
}
