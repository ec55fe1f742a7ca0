/** @module The options of `add-nodes`: how new nodes are set up, and what they begin with. */
import { EMPTY_SNAPSHOT } from '../../../raft/memory-storage.ts';
import type { RaftLogger, Snapshot } from '../../../raft/types.ts';
import type { Argument } from './datadriven.ts';
import type { NodeOptions } from './interaction-node.ts';

export interface AddedNodes {
  readonly options: NodeOptions;
  readonly start: Snapshot;
}

/** Compared without what is logged. */
const SILENT: RaftLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const DEFAULTS: NodeOptions = {
  electionTick: 3,
  heartbeatTick: 1,
  maxSizePerMsgBytes: Infinity,
  maxCommittedSizePerReadyBytes: 0,
  maxUncommittedSizeBytes: 0,
  maxInflightMsgs: Number.MAX_SAFE_INTEGER,
  maxInflightBytes: 0,
  checkQuorum: false,
  preVote: false,
  readOnlyOption: 'ReadOnlySafe',
  disableProposalForwarding: false,
  stepDownOnRemoval: false,
  logger: SILENT,
};

/** Option names as they stand in transcripts. */
const FLAGS: Readonly<Record<string, keyof NodeOptions>> = {
  'async-storage-writes': 'asyncStorageWrites',
  prevote: 'preVote',
  checkquorum: 'checkQuorum',
  'disable-conf-change-validation': 'disableConfChangeValidation',
  'disable-proposal-forwarding': 'disableProposalForwarding',
  'step-down-on-removal': 'stepDownOnRemoval',
};

const NUMBERS: Readonly<Record<string, keyof NodeOptions>> = {
  inflight: 'maxInflightMsgs',
  'max-inflight': 'maxInflightMsgs',
  'max-inflight-msgs': 'maxInflightMsgs',
  'max-inflight-bytes': 'maxInflightBytes',
  'max-size-per-msg': 'maxSizePerMsgBytes',
  'max-committed-size-per-ready': 'maxCommittedSizePerReadyBytes',
  'max-uncommitted-size': 'maxUncommittedSizeBytes',
  'election-tick': 'electionTick',
  'heartbeat-tick': 'heartbeatTick',
};

const READ_ONLY: Readonly<Record<string, NodeOptions['readOnlyOption']>> = {
  safe: 'ReadOnlySafe',
  'lease-based': 'ReadOnlyLeaseBased',
};

export function parseAddNodes(args: readonly Argument[]): AddedNodes {
  const given = new Map(args.map(({ key, values }) => [key, values] as const));
  const options = args.map((arg) => optionOf(arg));
  return { options: Object.assign({}, DEFAULTS, ...options) as NodeOptions, start: startOf(given) };
}

function optionOf({ key, values: [value = ''] }: Argument): Partial<NodeOptions> {
  const flag = FLAGS[key];
  if (flag !== undefined) return { [flag]: value === 'true' };
  const number = NUMBERS[key];
  if (number !== undefined) return { [number]: Number(value) };
  if (key !== 'read-only') return {};
  const readOnlyOption = READ_ONLY[value];
  if (readOnlyOption === undefined) throw new Error(`invalid read-only option "${value}"`);
  return { readOnlyOption };
}

/** Nodes with voters begin behind a snapshot of term 1 that names them. */
function startOf(given: ReadonlyMap<string, readonly string[]>): Snapshot {
  const idsOf = (key: string): number[] => (given.get(key) ?? []).map(Number);
  const voters = idsOf('voters');
  const learners = idsOf('learners');
  const [index = 0] = idsOf('index');
  const [content = ''] = given.get('content') ?? [];
  if (voters.length + learners.length + index + content.length === 0) return EMPTY_SNAPSHOT;
  if (index <= 1) throw new Error('index must be specified as > 1 due to bootstrap');
  const confState = { ...EMPTY_SNAPSHOT.metadata.confState, voters, learners };
  return { metadata: { index, term: 1, confState }, data: new TextEncoder().encode(content) };
}
