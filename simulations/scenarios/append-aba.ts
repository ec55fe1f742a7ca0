/** @module S37: entries are replaced and come back while the first write of them is under way (etcd, async_storage_writes_append_aba_race). */
import { deepEqual, equal } from 'node:assert/strict';
import { message } from '../../raft/messages.ts';
import { ManualNode, entry } from '../manual-raft.ts';
import type { Entry, Message, Ready, Term } from '../../raft/types.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim: 'a write of entries that were replaced and came back does not pass for the later write of them',
  run() {
    const node = new ManualNode({ id: 1, voters: [1, 2, 3], config: { asyncStorageWrites: true } });
    const thread = new AppendThread(node);
    thread.receive(1, entry(1, 1));
    thread.receive(2, entry(2, 1));
    thread.receive(3, entry(1, 1));
    thread.writeNext();
    thread.writeNext();
    // On disk now: the entry of term 2. In the log: that of term 1, whose second write is still to come.
    deepEqual(node.log(), ['2/1']);
    node.raw.step(message({ type: 'MsgVote', from: 3, to: 1, term: 4, logTerm: 1, index: 1 }));
    const vote = node.raw
      .ready()
      .messages.flatMap(({ responses = [] }) => responses)
      .find(({ type }) => type === 'MsgVoteResp');
    equal(vote?.reject, undefined);
    equal(node.raw.status().lastIndex, 1);
    thread.writeNext();
    deepEqual(node.log(), ['1/1']);
  },
};

/** The writes of a node, in order, each done when the scenario says so. */
class AppendThread {
  readonly #node: ManualNode;
  readonly #queue: Message[] = [];

  constructor(node: ManualNode) {
    this.#node = node;
  }

  /** Hears of a leader's entries, and hands the write to the thread. */
  receive(term: Term, ...entries: readonly Entry[]): void {
    this.#node.raw.step(message({ type: 'MsgApp', from: 2, to: 1, term, entries }));
    const ready: Ready = this.#node.raw.ready();
    this.#queue.push(...ready.messages.filter(({ type }) => type === 'MsgStorageAppend'));
  }

  writeNext(): void {
    const write = this.#queue.shift();
    this.#node.storage.append(write?.entries ?? []);
    for (const response of write?.responses ?? []) if (response.to === 1) this.#node.raw.step(response);
  }
}
