/**
 * @module What was committed a round ago (Raft dissertation §4.2.1): whoever has the log up to there keeps up with the leader, however
 * many entries that leaves. Counted in entries alone, nobody is ever near the end of a log that grows by thousands a second.
 */
import type { Status } from '../../raft/raw-node.ts';
import type { Index } from '../../raft/types.ts';

/** The shortest election timeout: a voter that is behind by less holds a change up for no longer than an election does. */
export const ROUND_MS = 500;
/** Looks closer together than this are one. */
const LOOK_MS = 20;

interface Look {
  readonly atMs: number;
  readonly commit: Index;
}

/** Begins anew with each leadership. */
export class CommitRounds {
  /** Of the leadership; 0: this node does not lead. */
  #term = 0;
  /** Of the last round, in order. */
  #looks: Look[] = [];

  /** To be called several times a round: what was not looked at for longer counts as committed at the next look. */
  observe({ raftState, term, commit }: Status, nowMs: number): void {
    const leads = raftState === 'StateLeader' ? term : 0;
    if (leads !== this.#term) this.#looks = [];
    this.#term = leads;
    if (leads === 0) return;
    this.#forget(nowMs);
    if (nowMs - (this.#looks.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= LOOK_MS)
      this.#looks.push({ atMs: nowMs, commit });
  }

  /** The commit index of a moment at most ROUND_MS ago; of now where no look was taken in that time. */
  start({ commit }: Status, nowMs: number): Index {
    this.#forget(nowMs);
    return this.#looks[0]?.commit ?? commit;
  }

  #forget(nowMs: number): void {
    const kept = this.#looks.findIndex(({ atMs }) => atMs >= nowMs - ROUND_MS);
    this.#looks = kept < 0 ? [] : this.#looks.slice(kept);
  }
}
