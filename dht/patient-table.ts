/** @module The location table for those who can wait: what lies on disk is read before it is asked for or changed. */
import { shardOfPrefix } from './hash-prefix.ts';
import type { AnnounceOutcome, LocationTable, PackedRecords } from './location-table.ts';
import type { AnnounceRequest } from './messages.ts';
import { SaidHashes } from './said-hashes.ts';

/** `removed`: who sent it was removed from the cluster while this waited; nothing was changed. */
export type PatientOutcome = AnnounceOutcome | { readonly kind: 'removed' };

const REMOVED: PatientOutcome = { kind: 'removed' };
const ALWAYS = (): boolean => true;

/** While everything is in memory nothing waits, and each call is that of the table. */
export class PatientTable {
  readonly #table: LocationTable;
  /** The batch of each datanode that is under way: the next one must not overtake it half-done. */
  readonly #underWay = new Map<number, Promise<PatientOutcome>>();

  constructor(table: LocationTable) {
    this.#table = table;
  }

  /** As LocationTable.announce. Waits for room in memory, and for what `isMember` says then of who sent it; rejects with DHT_STOPPED. */
  announce(
    batch: AnnounceRequest,
    isMember: () => boolean = ALWAYS,
  ): PatientOutcome | Promise<PatientOutcome> {
    const table = this.#table;
    const before = this.#underWay.get(batch.node);
    const isAtOnce = before === undefined && table.spilledShards === 0 && table.spill?.room() === undefined;
    if (isAtOnce) return table.announce(batch);
    const underWay = this.#announceAfter(before, batch, isMember).finally(() => {
      if (this.#underWay.get(batch.node) === underWay) this.#underWay.delete(batch.node);
    });
    this.#underWay.set(batch.node, underWay);
    return underWay;
  }

  /** `work` with the rows of the packed hashes at hand, in one turn with having seen that they are. Throws DHT_BAD_BATCH. */
  withRows<T>(hashes: readonly Uint8Array[], work: () => T): T | Promise<T> {
    const { spill } = this.#table;
    return spill === undefined ? work() : spill.reads.withRows(hashes, work);
  }

  /** As withRows, with all rows below a prefix. */
  withPrefix<T>(prefix: string, work: () => T): T | Promise<T> {
    const { spill } = this.#table;
    return spill === undefined ? work() : spill.reads.withPrefix(prefix, work);
  }

  /** As LocationTable.merge. Waits for room in memory. */
  merge(records: PackedRecords, accepts: (node: number) => boolean): number | Promise<number> {
    const table = this.#table;
    const merge = (): number | Promise<number> =>
      this.withRows([records.hashes], () => table.merge(records, accepts));
    const room = table.spill?.room();
    return room === undefined ? merge() : room.then(merge);
  }

  async #announceAfter(
    before: Promise<PatientOutcome> | undefined,
    batch: AnnounceRequest,
    isMember: () => boolean,
  ): Promise<PatientOutcome> {
    // Whoever sent that one hears of its failure.
    await before?.catch(() => undefined);
    const table = this.#table;
    for (const prefix of batch.whole) shardOfPrefix(prefix);
    await table.spill?.room();
    // Its records were forgotten when it was removed, and would come back for good.
    const outcome = await this.withRows([batch.removed, batch.added], () =>
      isMember() ? table.take(batch) : REMOVED,
    );
    if (outcome.kind !== 'taken') return outcome;
    const said = new SaidHashes(batch.added);
    // It may have been dropped, or have begun anew, while this waited.
    const isCurrent = (): boolean => table.node(batch.node)?.generation === batch.generation;
    for (const prefix of batch.whole)
      if (isCurrent() && table.mayHoldOthers(batch.node, prefix, said))
        await this.withPrefix(prefix, () => {
          if (isCurrent()) table.forgetOthers(batch.node, prefix, said);
        });
    return outcome;
  }
}
