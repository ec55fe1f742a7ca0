/** @module S16: a node whose disk was put back to an earlier time has forgotten what it voted and acknowledged (rethinkdb#5289). */
import { equal } from 'node:assert/strict';
import { Witness } from '../../src/metadata/witness.ts';
import type { BugScenario } from '../bug-scenario.ts';

export const scenario: BugScenario = {
  claim:
    'a node that comes back with fewer writes than it has told of is not heard, and neither is a second run of it',
  run() {
    const witness = new Witness();
    const first = { number: 3, boot: 1, id: 11, openedAt: 0 };
    equal(witness.observe(first, 40), true);
    equal(witness.observe({ number: 3, boot: 2, id: 12, openedAt: 25 }, 26), false);
    equal(witness.observe({ ...first, id: 99 }, 41), false);
    equal(witness.observe({ number: 3, boot: 2, id: 13, openedAt: 40 }, 41), true);
  },
};
