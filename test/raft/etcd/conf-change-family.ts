/** @module Runs the confchange family of transcripts: one configuration, changed step by step. */
import { Changer } from '../../../raft/conf-change.ts';
import type { ChangedConfiguration } from '../../../raft/conf-change.ts';
import { describeConfiguration, describeProgress } from '../../../raft/describe.ts';
import { isRaftError } from '../../../raft/errors.ts';
import { progressStatus } from '../../../raft/status.ts';
import { ProgressTracker } from '../../../raft/tracker.ts';
import type { Directive } from './datadriven.ts';
import { parseChanges } from './conf-change-text.ts';

export const CONF_CHANGE_COMMANDS: ReadonlySet<string> = new Set(['simple', 'enter-joint', 'leave-joint']);

const MAX_INFLIGHT = 10;

export class ConfChangeTranscript {
  readonly #tracker = new ProgressTracker({ maxInflightMsgs: MAX_INFLIGHT, maxInflightBytes: 0 });
  /** Grows by one with every command, so that it shows where a new member is probed. */
  #lastIndex = 0;

  /** The configuration and everybody's progress after the change, or why it cannot be made. */
  run(directive: Directive): string {
    const tracker = this.#tracker;
    try {
      const { configuration, progress } = this.#change(new Changer(tracker, this.#lastIndex), directive);
      tracker.switchTo(configuration, progress);
    } catch (error) {
      if (isRaftError(error, 'RAFT_CONF_CHANGE_INVALID')) return error.message;
      throw error;
    } finally {
      this.#lastIndex += 1;
    }
    const members = tracker
      .members()
      .map(([id, progress]) => `${id}: ${describeProgress(progressStatus(id, progress))}`);
    return [describeConfiguration(tracker.configuration), ...members].join('\n');
  }

  #change(changer: Changer, { command, args, input }: Directive): ChangedConfiguration {
    const changes = parseChanges(input.join(' '));
    switch (command) {
      case 'simple':
        return changer.simple(changes);
      case 'enter-joint':
        return changer.enterJoint(
          args.some(({ key, values }) => key === 'autoleave' && values[0] === 'true'),
          changes,
        );
      default:
        return changer.leaveJoint();
    }
  }
}
