/** @module Bugs that nobody else could ship: of what only this system has. */
import type { Mutant } from './mutant.ts';

const NO_NAT =
  'the simulation has no routers that translate addresses: everybody can be dialled, or nobody dials them';

const FEW_SEEDS = 'not met in five seeds of whole clusters whose index goes to disk; more were not tried';

const COPIES =
  'the copy must be older than a promise, and everybody who heard that be killed within seconds: one seed in 14,000 was so, with both in it';

export const OWN_MUTANTS: readonly Mutant[] = [
  {
    name: 'earlier-abort-not-relayed',
    bug: 'H02',
    scenario: 'relayed-aborts',
    swarm: { none: 'what nobody wants any more goes on until its own limit: slower, and wrong in nothing' },
    file: 'src/common/abort-relay.ts',
    find: 'if (source.aborted) {\n    onAbort();',
    replace: 'if (source.aborted) {',
  },
  {
    name: 'relay-listens-for-ever',
    bug: 'H02',
    scenario: 'relayed-aborts',
    swarm: { none: 'memory that is never given back makes no answer wrong' },
    file: 'src/common/abort-relay.ts',
    find: "return () => source.removeEventListener('abort', onAbort);",
    replace: 'return NOTHING;',
  },
  {
    name: 'rounds-of-earlier-leaderships',
    bug: 'H03',
    scenario: 'rounds-of-one-leadership',
    swarm: { none: 'a voter that is behind holds changes up, and makes none of them wrong' },
    file: 'src/metadata/commit-rounds.ts',
    find: 'if (leads !== this.#term) this.#looks = [];',
    replace: '',
  },
  {
    name: 'rounds-without-end',
    bug: 'H03',
    scenario: 'rounds-of-one-leadership',
    swarm: { none: 'a voter that is behind holds changes up, and makes none of them wrong' },
    file: 'src/metadata/commit-rounds.ts',
    find: 'atMs >= nowMs - ROUND_MS',
    replace: 'atMs >= 0',
  },
  {
    name: 'packed-rot-served',
    bug: 'H04',
    scenario: 'packed-rot-is-found',
    swarm: { none: 'the line is of the blocks in SQLite; the simulated disks have checksums of their own' },
    file: 'src/storage/packed-rows.ts',
    find: "if (packedCrc(fromHex(hash), origin, data) !== row['crc'])",
    replace: "if (row['crc'] === undefined)",
  },
  {
    name: 'rot-takes-the-place-of-a-whole-copy',
    bug: 'H05',
    scenario: 'rot-beside-a-whole-copy',
    swarm: {
      none: 'a crash must come between two steps of one write, and rot to the very block, of which there are others',
    },
    file: 'src/storage/block-holdings.ts',
    find: "if (note.reason === 'corrupt' && earlier !== undefined && earlier.reason !== 'corrupt')",
    replace: 'if (note.sinceMs < 0)',
  },
  {
    name: 'whole-copy-deleted-for-an-unread-one',
    bug: 'H05',
    scenario: 'rot-beside-a-whole-copy',
    swarm: {
      none: 'a crash must come between two steps of one write, and rot to the very block, of which there are others',
    },
    file: 'src/datanode/garbage-collector.ts',
    find: "return (await blocks.verify(hash)) ? 'delete' : 'keep';",
    replace: "return 'delete';",
  },
  {
    name: 'dialled-back-whoever-answers',
    bug: 'H06',
    scenario: 'dialled-back',
    swarm: { none: NO_NAT },
    file: 'src/network/dial-back.ts',
    find: 'multiaddr(`${address}/p2p/${peer}`)',
    replace: 'multiaddr(address)',
  },
  {
    name: 'dialled-back-over-relays',
    bug: 'H06',
    scenario: 'dialled-back',
    swarm: { none: NO_NAT },
    file: 'src/network/dial-back.ts',
    find: 'if (socketAddressOf(address) === undefined)',
    replace: 'if (texts.length < 0)',
  },
  {
    name: 'dial-backs-never-over',
    bug: 'H06',
    scenario: 'dialled-back',
    swarm: { none: NO_NAT },
    file: 'src/network/dial-back.ts',
    find: 'this.#attempts -= 1;',
    replace: '',
  },
  {
    name: 'page-checksum-not-looked-at',
    bug: 'H07',
    scenario: 'spoilt-page-is-refused',
    swarm: { none: FEW_SEEDS },
    file: 'src/storage/page-store.ts',
    find: '      return page;\n  return undefined;',
    replace: '      continue;\n  return undefined;',
  },
  {
    name: 'removed-record-back-from-disk',
    bug: 'H08',
    scenario: 'removed-record-stays-removed',
    swarm: { none: FEW_SEEDS },
    file: 'dht/spilled-records.ts',
    find: 'if (isLast) changes.add(packed, offset, NOBODY);',
    replace: '',
  },
  {
    name: 'forgotten-vote-given-again',
    bug: 'H09',
    scenario: 'copy-is-held-to-promises',
    swarm: { none: COPIES },
    file: 'raft/restraint.ts',
    find: 'if (term === raft.term && raft.vote === NO_NODE) raft.vote = raft.id;',
    replace: '',
  },
  {
    name: 'forgotten-entries-not-asked-for',
    bug: 'H09',
    scenario: 'copy-is-held-to-promises',
    swarm: { none: COPIES },
    file: 'raft/election.ts',
    find: 'raft.log.isUpToDate(last) && raft.isElectable(last)',
    replace: 'raft.log.isUpToDate(last)',
  },
];
