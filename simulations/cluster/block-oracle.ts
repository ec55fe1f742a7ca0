/** @module Watches the copies of blocks on the disks of all datanodes: none goes that a file needs, and the index says where they are. */
import { toHex } from '../../src/common/bytes.ts';
import { describeError, isHoldfastError } from '../../src/common/errors.ts';
import type { BlockHash } from '../../src/common/hashing.ts';
import type { WantedBlock } from '../../src/namespace/reads.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import { call } from '../../src/network/method.ts';
import { LOCATE } from '../../src/protocol/methods.ts';
import type { QuarantinedBlock } from '../../src/storage/block-info.ts';
import { SafetyViolation } from '../raft-oracle.ts';
import type { DataProcess } from './data-process.ts';
import type { Journal } from './journal.ts';
import type { MetadataProcess } from './metadata-process.ts';
import type { ClientProcess } from './client-process.ts';

/** Who has what the oracle looks at. */
export interface BlockOracleRoster {
  datanodes(): readonly DataProcess[];
  /** Active metadata nodes. */
  members(): readonly MetadataProcess[];
  nodes(): readonly MetadataProcess[];
  readonly admin: ClientProcess | undefined;
}

export interface BlockOracleComponents {
  readonly roster: BlockOracleRoster;
  readonly journal: Journal;
}

/** Of one question to the index, and of one page of the namespace. */
const PAGE_BLOCKS = 500;

/** What a file's blocks have when its writer is told that it is there, in a cluster of more than one datanode. */
const ACKNOWLEDGED_COPIES = 2;

export class BlockOracle {
  readonly #components: BlockOracleComponents;
  /** With disks that the cluster need not have borne the loss of. */
  readonly #lost = new Set<BlockHash>();

  constructor(components: BlockOracleComponents) {
    this.#components = components;
  }

  /** From now on it hears of every copy that is deleted there. */
  watch({ number, machine }: DataProcess): void {
    machine.platter.onDeleted = (copy) => {
      this.#checkDeleted(number, copy).catch((error: unknown) =>
        this.#components.journal.violate(describeError(error)),
      );
    };
  }

  /**
   * A copy may be deleted as garbage only if no file refers to the block. Asked of whoever has applied most: a reference
   * that is older than the decision must not be there, and one that is younger should have been seen before deleting. One that
   * came between that look and the deletion has copies of its own, of which two were acknowledged (seed 71348, calm). Beside a
   * good copy of the same datanode, one that was written anew since, a copy put aside is of no use to anybody.
   */
  async #checkDeleted(node: number, { hash, reason, index }: QuarantinedBlock): Promise<void> {
    const isWrittenAnew = this.#components.roster
      .datanodes()
      .some(({ number, machine }) => number === node && machine.platter.isGood(hash));
    if (reason === 'corrupt' || isWrittenAnew) return;
    const [state] = this.#components.roster
      .nodes()
      .flatMap((process) => (process.state === undefined ? [] : [process.state]))
      .toSorted((a, b) => b.appliedIndex - a.appliedIndex);
    if (state === undefined || state.appliedIndex < index) return;
    // Past the listing errors (listing-errors.ts): they are for the cluster, not for who watches it.
    const { copies } = await StateMachine.prototype.references.call(state, [hash]);
    const isNeeded = (copies[0] ?? 0) > 0;
    const needed = reason === 'garbage' ? ACKNOWLEDGED_COPIES : 1;
    if (isNeeded && this.#goodCopies(hash) < needed)
      this.#components.journal.violate(`datanode ${node} deleted ${reason} ${hash}, which a file refers to`);
  }

  /** From now on blocks may be lost that have no good copy now: their disks are. Says whether there is one that a file refers to. */
  async accept(): Promise<boolean> {
    for (const { hash } of await this.#referred()) if (this.#goodCopies(hash) === 0) this.#lost.add(hash);
    return this.#lost.size > 0;
  }

  /** Every block that a file refers to, but those, has a copy that is what its name says. Throws SafetyViolation. */
  async checkCopies(): Promise<void> {
    for (const { hash } of await this.#referred())
      if (this.#goodCopies(hash) === 0 && !this.#lost.has(hash))
        throw new SafetyViolation(`No datanode has a good copy of block ${hash}, which a file refers to`);
  }

  /**
   * Whether every block that a file refers to is in service on as many datanodes as are wanted, or on all that have room, and
   * each of these copies is what its name says.
   */
  async hasHealed(): Promise<boolean> {
    const held = this.#held();
    const datanodes = this.#components.roster.datanodes();
    const referred = await this.#referred();
    return referred.every(({ hash, sizeBytes, copies }) => {
      if (this.#lost.has(hash)) return true;
      const holders = datanodes
        .filter(({ number, machine }) => held.get(hash)?.includes(number) && machine.platter.isGood(hash))
        .map(({ number }) => number);
      const others = datanodes.filter(
        ({ number, machine }) => !holders.includes(number) && machine.platter.freeBytes >= sizeBytes,
      );
      return holders.length >= Math.min(copies, holders.length + others.length);
    });
  }

  /** Whether no datanode has anything that no file refers to, in service or put aside. */
  async isGarbageGone(): Promise<boolean> {
    const referred = new Set((await this.#referred()).map(({ hash }) => hash));
    return this.#components.roster
      .datanodes()
      .every(
        ({ machine: { platter } }) =>
          platter.quarantined().every(({ reason }) => reason === 'corrupt') &&
          platter.hashes().every((hash) => referred.has(hash)),
      );
  }

  /** Whether each metadata node names, of every block held anywhere, exactly the datanodes that hold it. */
  async hasConverged(): Promise<boolean> {
    const { roster } = this.#components;
    const held = this.#held();
    const hashes = [...held.keys()];
    for (const { peer } of roster.members())
      for (let from = 0; from < hashes.length; from += PAGE_BLOCKS)
        if (!(await this.#knows(peer, hashes.slice(from, from + PAGE_BLOCKS), held))) return false;
    return true;
  }

  async #knows(
    peer: MetadataProcess['peer'],
    hashes: readonly BlockHash[],
    held: ReadonlyMap<BlockHash, readonly number[]>,
  ): Promise<boolean> {
    const { admin } = this.#components.roster;
    if (admin === undefined) return true;
    try {
      const request = { hashes: hashes.map((hash) => Buffer.from(hash, 'hex')) };
      const { blocks } = await call(admin.network, peer, LOCATE, request);
      return blocks.every(({ hash, nodes }) => nodes.toSorted().join() === held.get(toHex(hash))?.join());
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      return false;
    }
  }

  /** Datanodes in service for each block, by their numbers in order. */
  #held(): ReadonlyMap<BlockHash, readonly number[]> {
    const held = new Map<BlockHash, number[]>();
    for (const { number, blocks } of this.#components.roster.datanodes())
      for (const { hash } of blocks?.list(undefined, Infinity) ?? [])
        held.set(hash, [...(held.get(hash) ?? []), number].toSorted());
    return held;
  }

  #goodCopies(hash: BlockHash): number {
    return this.#components.roster.datanodes().filter(({ machine }) => machine.platter.isGood(hash)).length;
  }

  /** Every block of a committed file, with the copies that are wanted of it. */
  async #referred(): Promise<readonly WantedBlock[]> {
    const [state] = this.#components.roster.members().flatMap((process) => process.state ?? []);
    const blocks: WantedBlock[] = [];
    if (state === undefined) return blocks;
    for (;;) {
      const page = await state.scanBlocks(blocks.at(-1)?.hash ?? '', PAGE_BLOCKS);
      blocks.push(...page);
      if (page.length < PAGE_BLOCKS) return blocks;
    }
  }
}
