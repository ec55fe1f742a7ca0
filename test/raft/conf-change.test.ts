import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Changer } from '../../raft/conf-change.ts';
import type { ChangedConfiguration } from '../../raft/conf-change.ts';
import { describeConfiguration, describeProgress } from '../../raft/describe.ts';
import { isRaftError } from '../../raft/errors.ts';
import { ProgressTracker } from '../../raft/tracker.ts';
import type { ConfChangeSingle, ConfChangeType } from '../../raft/types.ts';
import { readCases } from './datadriven.ts';
import type { Case } from './datadriven.ts';

const TYPES: Readonly<Record<string, ConfChangeType>> = {
  v: 'ConfChangeAddNode',
  l: 'ConfChangeAddLearnerNode',
  r: 'ConfChangeRemoveNode',
  u: 'ConfChangeUpdateNode',
};

function changesOf(test: Case): ConfChangeSingle[] {
  return test.words.map((word) => {
    const type = TYPES[word.charAt(0)];
    if (type === undefined) throw new Error(`Unknown change ${word} at line ${test.line}`);
    return { type, nodeId: Number(word.slice(1)) };
  });
}

function change(changer: Changer, test: Case): ChangedConfiguration {
  switch (test.command) {
    case 'simple':
      return changer.simple(changesOf(test));
    case 'enter-joint':
      return changer.enterJoint(test.options.get('autoleave')?.[0] === 'true', changesOf(test));
    default:
      return changer.leaveJoint();
  }
}

/** The configuration and everybody's progress after the change, or why it cannot be made. */
function run(tracker: ProgressTracker, lastIndex: number, test: Case): string {
  try {
    const { configuration, progress } = change(new Changer(tracker, lastIndex), test);
    tracker.switchTo(configuration, progress);
  } catch (error) {
    if (isRaftError(error, 'RAFT_CONF_CHANGE_INVALID')) return error.message;
    throw error;
  }
  const members = tracker.members().map(([id, progress]) => `${id}: ${describeProgress(progress)}`);
  return [describeConfiguration(tracker.configuration), ...members].join('\n');
}

for (const file of readdirSync(new URL('./testdata/confchange', import.meta.url)))
  describe(`etcd-raft confchange/${file}`, () => {
    const tracker = new ProgressTracker({ maxInflightMsgs: 10, maxInflightBytes: 0 });
    for (const [lastIndex, test] of readCases(`confchange/${file}`).entries())
      it(`agrees at line ${test.line}`, () => {
        expect(run(tracker, lastIndex, test)).toBe(test.expected);
      });
  });
