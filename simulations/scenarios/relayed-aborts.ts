/** @module H02: work that was begun for somebody outlives him, or what tells of his end outlives the work. */
import { equal } from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { relayAbort } from '../../src/common/abort-relay.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim:
    'work for somebody who gives up ends, even if he did before it began, and work that ends leaves nothing behind',
  run() {
    const source = new AbortController();
    const done = new AbortController();
    relayAbort(source.signal, done)();
    equal(getEventListeners(source.signal, 'abort').length, 0);
    const underWay = new AbortController();
    relayAbort(source.signal, underWay);
    source.abort(new Error('nobody wants it any more'));
    const late = new AbortController();
    relayAbort(source.signal, late);
    for (const { signal } of [underWay, late]) equal(signal.reason, source.signal.reason);
    equal(done.signal.aborted, false);
  },
};
