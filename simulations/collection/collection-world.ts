/**
 * @module Garbage collection under everything that races with it, from one seed: puts of the same content, slow writers,
 * abandoned writes, unlinks, renames, copies, undo, eras, restarts, clocks that jump, and metadata nodes that do not answer.
 * Namespace, block store, collector and eras are those that ship; who acts next is drawn.
 */
import { toHex } from '../../src/common/bytes.ts';
import { type BlockHash, sha256 } from '../../src/common/hashing.ts';
import type { BlockRef } from '../../src/namespace/schema.ts';
import { Prng } from '../prng.ts';
import { CollectedNode, unanswered } from './collected-node.ts';
import { NamespaceLog } from './namespace-log.ts';

const NODES = 3;
const COPIES = 2;
/** Few, so that the same content is written, removed and written again all the time. */
const CONTENTS = 6;
const PATHS = ['/a', '/b', '/c', '/d', '/e'];
const STEP_MS = 1_000;
/** Long enough for whatever is under way to get from one place where it waits to the next. */
const SETTLE_TURNS = 60;
/** Steps of a healed world within which every block that nobody refers to must be gone. */
const MAX_HEALED_STEPS = 4_000;

interface Written {
  readonly hash: BlockHash;
  readonly block: BlockRef;
  era: number;
  readonly nodes: readonly CollectedNode[];
}

export interface CollectionOutcome {
  readonly rounds: number;
  readonly failedRounds: number;
  readonly committed: number;
  readonly refused: number;
  readonly retained: number;
  readonly quarantined: number;
  readonly violation: string | undefined;
}

export class CollectionWorld {
  readonly #random: Prng;
  readonly #log: NamespaceLog;
  readonly #nodes = Array.from({ length: NODES }, () => new CollectedNode());
  /** Acknowledged by datanodes, not referred to yet. */
  readonly #pending: Written[] = [];
  /** Who acknowledged a copy of each block that files refer to, since they do. */
  readonly #holders = new Map<BlockHash, Set<CollectedNode>>();
  #committed = 0;
  #refused = 0;
  #retained = 0;
  #quarantined = 0;
  #violation: string | undefined;

  private constructor(seed: number, log: NamespaceLog) {
    this.#random = new Prng(seed, 'collection');
    this.#log = log;
  }

  static async open(seed: number): Promise<CollectionWorld> {
    return new CollectionWorld(seed, await NamespaceLog.found(STEP_MS));
  }

  /** Acts until the collectors have ended `rounds` rounds, heals, and looks whether all garbage goes. Stops at a violation. */
  async run(rounds: number): Promise<CollectionOutcome> {
    const ended = (): number => this.#sum((node) => node.rounds);
    while (this.#violation === undefined && ended() < rounds) {
      await this.#act();
      await this.#settle();
      await this.#look();
    }
    if (this.#violation === undefined) await this.#heal();
    return {
      rounds: ended(),
      failedRounds: this.#sum((node) => node.failures),
      committed: this.#committed,
      refused: this.#refused,
      retained: this.#retained,
      quarantined: this.#quarantined,
      violation: this.#violation,
    };
  }

  async #act(): Promise<void> {
    const random = this.#random;
    const node = random.pick(this.#nodes);
    const draw = random.int(100);
    if (draw < 14) return this.#write();
    if (draw < 26) return this.#commit();
    if (draw < 33) return void (await this.#log.propose('unlink', { path: random.pick(PATHS) }));
    if (draw < 36) return this.#move('rename');
    if (draw < 39) return this.#move('copyFile');
    if (draw < 43) return this.#log.clean();
    if (draw < 45) return void (await this.#log.propose('beginEra', { era: (await this.#log.era()) + 1 }));
    if (draw < 46) return void (await this.#log.propose('configureCollection', { undo: true }));
    if (draw < 48) return void (await this.#log.propose('configureCollection', { paused: false }));
    if (draw < 49) return node.restart();
    if (draw < 51) return this.#jump(node);
    if (draw < 62) return node.step();
    if (draw < 75) return node.blocks.waiting.shift()?.();
    return this.#answer(node);
  }

  /** A client that may know an old era, and whose datanodes acknowledge what they have. */
  async #write(): Promise<void> {
    const random = this.#random;
    const data = Buffer.from(`content ${random.int(CONTENTS)}`);
    const hash = toHex(sha256(data));
    const era = Math.max(0, (await this.#log.era()) - (random.chance(0.8) ? 0 : random.int(4)));
    const nodes = this.#nodes.filter(() => random.chance(COPIES / NODES));
    for (const node of nodes) {
      // As a BlockReceiver does: first the era, then the copy, and a copy that was there must still be there at the end.
      node.eras.note(hash, era);
      if (node.blocks.has(hash)) continue;
      const origin = { fileId: 0, pathHint: '/x', position: 0 };
      const writer = await node.blocks.create({ hash, sizeBytes: data.length, origin });
      await writer.write(data);
      await writer.commit();
    }
    const block = { hash: new Uint8Array(sha256(data)), sizeBytes: data.length };
    // Some are never heard of again: abandoned writes.
    if (nodes.length > 0 && random.chance(0.9)) this.#pending.push({ hash, block, era, nodes });
  }

  /** A file is closed over blocks written now or long ago. */
  async #commit(): Promise<void> {
    const written = this.#pending.splice(this.#random.int(Math.max(1, this.#pending.length)), 1)[0];
    if (written === undefined) return;
    const path = this.#random.pick(PATHS);
    const value = { path, complete: true, blocks: [written.block], writtenEra: written.era };
    const { outcome, facts } = await this.#log.propose('createFile', value);
    if (outcome === 'stat') {
      this.#committed += 1;
      const holders = this.#holders.get(written.hash) ?? new Set();
      for (const node of written.nodes) holders.add(node);
      this.#holders.set(written.hash, holders);
      return;
    }
    this.#refused += 1;
    const { era } = JSON.parse(facts) as { era?: number };
    if (era !== undefined && this.#random.chance(0.7)) await this.#retain(written, era);
  }

  /** As a CopyService does it. */
  async #retain(written: Written, era: number): Promise<void> {
    for (const { eras, blocks } of written.nodes) {
      eras.note(written.hash, era);
      if (!blocks.has(written.hash)) await blocks.release(written.hash);
      if (!blocks.has(written.hash)) return;
    }
    this.#retained += 1;
    this.#pending.push({ ...written, era });
  }

  async #move(kind: 'rename' | 'copyFile'): Promise<void> {
    const [from, to] = [this.#random.pick(PATHS), this.#random.pick(PATHS)];
    if (from !== to) await this.#log.propose(kind, { from, to });
  }

  #jump(node: CollectedNode): void {
    const leaps = [STEP_MS, 10 * STEP_MS, 1_000 * STEP_MS, -1_000 * STEP_MS];
    node.clock.nowMs += this.#random.pick(leaps);
  }

  /** Evaluated at one moment and heard of at a later one, or never. */
  async #answer(node: CollectedNode): Promise<void> {
    const [question] = node.questions;
    if (question === undefined) return;
    if (question.answered === undefined && this.#random.chance(0.1)) {
      node.questions.shift();
      return question.reply.reject(unanswered());
    }
    if (question.answered === undefined) {
      const { copies, index, collection } = await this.#log.machine.references(question.hashes);
      question.answered = { copies, index, collection, epoch: 1, pauseMs: 0 };
      return;
    }
    node.questions.shift();
    question.reply.resolve(question.answered);
  }

  /** No block that a file refers to may be out of service, let alone gone, where it was acknowledged. */
  async #look(): Promise<void> {
    const live = new Set((await this.#log.machine.scanBlocks('', CONTENTS + 1)).map(({ hash }) => hash));
    for (const [hash, holders] of this.#holders) {
      if (!live.has(hash)) this.#holders.delete(hash);
      else
        for (const node of holders)
          if (!node.blocks.has(hash))
            this.#violation ??= `block ${hash.slice(0, 8)}, which a file refers to, is ${node.blocks.quarantineOf(hash) === undefined ? 'lost' : 'quarantined'} on node ${this.#nodes.indexOf(node)}`;
    }
    this.#quarantined = Math.max(
      this.#quarantined,
      this.#sum(({ blocks }) => blocks.quarantined(undefined, CONTENTS).length),
    );
  }

  /** Everybody answers, eras pass, nobody writes: what nobody refers to must go. */
  async #heal(): Promise<void> {
    await this.#log.propose('configureCollection', { paused: false });
    for (let step = 0; step < MAX_HEALED_STEPS && this.#violation === undefined; step += 1) {
      if (step % NODES === 0) await this.#log.propose('beginEra', { era: (await this.#log.era()) + 1 });
      await this.#log.clean();
      for (const node of this.#nodes) {
        node.clock.nowMs += 2_000 * STEP_MS;
        node.step();
        await this.#settle();
        for (const question of node.questions.splice(0))
          question.reply.resolve({
            ...(await this.#log.machine.references(question.hashes)),
            epoch: 1,
            pauseMs: 0,
          });
        await this.#settle();
        for (
          let change = node.blocks.waiting.shift();
          change !== undefined;
          change = node.blocks.waiting.shift()
        ) {
          change();
          await this.#settle();
        }
      }
      await this.#look();
      if (await this.#isClean()) return;
    }
    this.#violation ??= 'garbage is left after everything has healed';
  }

  async #isClean(): Promise<boolean> {
    const live = new Set((await this.#log.machine.scanBlocks('', CONTENTS + 1)).map(({ hash }) => hash));
    return this.#nodes.every(
      ({ blocks }) =>
        blocks.quarantined(undefined, 1).length === 0 &&
        blocks.list(undefined, CONTENTS).every(({ hash }) => live.has(hash)),
    );
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await Promise.resolve();
  }

  #sum(count: (node: CollectedNode) => number): number {
    return this.#nodes.reduce((sum, node) => sum + count(node), 0);
  }
}
