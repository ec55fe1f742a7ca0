/** @module What a Config must satisfy. */
import { RaftError } from './errors.ts';
import type { Config } from './types.ts';

/** Throws RAFT_INVALID_CONFIG naming the first rule that is broken. */
export function validateConfig(config: Config): void {
  const rules: readonly (readonly [boolean, string])[] = [
    [Number.isSafeInteger(config.id) && config.id > 0, 'id must be a positive integer'],
    [config.heartbeatTick > 0, 'heartbeatTick must be above 0'],
    [config.electionTick > config.heartbeatTick, 'electionTick must be above heartbeatTick'],
    [config.maxSizePerMsgBytes >= 0, 'maxSizePerMsgBytes must not be negative'],
    [config.maxCommittedSizePerReadyBytes >= 0, 'maxCommittedSizePerReadyBytes must not be negative'],
    [config.maxInflightMsgs > 0, 'maxInflightMsgs must be above 0'],
    [
      config.maxInflightBytes === 0 || config.maxInflightBytes >= config.maxSizePerMsgBytes,
      'maxInflightBytes must be 0 or at least maxSizePerMsgBytes',
    ],
    [
      config.readOnlyOption === 'ReadOnlySafe' || config.checkQuorum,
      'checkQuorum must be on for ReadOnlyLeaseBased',
    ],
  ];
  for (const [holds, rule] of rules)
    if (!holds) throw new RaftError('RAFT_INVALID_CONFIG', `Raft node ${config.id} cannot start: ${rule}.`);
}
