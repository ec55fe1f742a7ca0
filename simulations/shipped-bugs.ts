/** @module Forty bugs that consensus systems and what stands on them have shipped, and some of ours. Scenarios and mutants speak of them by number. */

export interface ShippedBug {
  /** 'S01' to 'S40'; 'H01' and on: of Holdfast alone. */
  readonly id: string;
  readonly what: string;
  /** Where it shipped, or was found: issues and pull requests, as OWNER#NUMBER in short. */
  readonly source: string;
  /** How far it can exist here; absent: wholly. */
  readonly applies?: string;
}

export const SHIPPED_BUGS: readonly ShippedBug[] = [
  {
    id: 'S01',
    what: 'an entry of an earlier term is committed by counting; a leader lacks committed entries',
    source: 'logcabin#44, canonical/raft#336, CCF#4485',
  },
  {
    id: 'S02',
    what: 'a vote is forgotten, and given twice in one term',
    source: 'CCF#5891, eliben/raft#27, akka-raft#47',
  },
  {
    id: 'S03',
    what: 'a read is answered before the leader knows what is committed',
    source: 'etcd#7331, tikv#6340, redisraft#18',
  },
  { id: 'S04', what: 'an old proof of leadership answers a later read', source: 'etcd#20418, etcd#21399' },
  {
    id: 'S05',
    what: 'a lease outlives a transfer of leadership',
    source: 'raft-rs#234, etcd#12704, tikv#1595',
    applies: 'an option of the core; Holdfast never turns it on',
  },
  {
    id: 'S06',
    what: 'pre-vote, a higher term and a shorter log: no leader for ever',
    source: 'etcd#8501, openraft#1796, canonical/raft#279',
  },
  {
    id: 'S07',
    what: 'a removed server, or one that was cut off, comes back and disrupts',
    source: 'hashicorp#524, logcabin#56',
  },
  {
    id: 'S08',
    what: 'one link of three is cut, and leadership flaps',
    source: 'Cloudflare, 2 November 2020',
  },
  {
    id: 'S09',
    what: 'acknowledged before it is synced; then the power fails',
    source: 'etcd#14143, dragonboat#201, yugabyte#32875',
  },
  { id: 'S10', what: 'a lone voter commits before its write is done', source: 'etcd#14370, etcd#10508' },
  {
    id: 'S11',
    what: 'an fsync fails once, the next one succeeds, and all goes on',
    source: 'cockroach#37102, rostam#94',
  },
  {
    id: 'S12',
    what: 'the applied index and the data are not of one state',
    source: 'etcd#13766, etcd#13967',
  },
  {
    id: 'S13',
    what: 'a torn end of the log stops the node, or spoils what is appended next',
    source: 'etcd#5230, etcd#6515, etcd#14093',
  },
  { id: 'S14', what: 'rot in the log is taken for a torn end, and cut off', source: 'PAR/CTRL, FAST 2018' },
  { id: 'S15', what: 'a commit index beyond the log: a crash loop', source: 'etcd#10166, etcd#20269' },
  {
    id: 'S16',
    what: 'a node that has forgotten its promises votes again',
    source: 'rethinkdb#5289, redisraft#2',
  },
  {
    id: 'S17',
    what: 'a message about compacted entries is taken for a conflict',
    source: 'openraft#511, scylla#9552',
  },
  { id: 'S18', what: 'entries that match are cut off and written again', source: 'databend#3914' },
  {
    id: 'S19',
    what: 'a commit index is believed past what is known to match',
    source: 'copycat#265, CCF#6016',
  },
  { id: 'S20', what: 'answers of an earlier leadership count in a later one', source: 'CCF#6016' },
  { id: 'S21', what: 'a snapshot leaves a conflicting entry where it ends', source: 'hashicorp#697' },
  {
    id: 'S22',
    what: 'the receiver of a snapshot dies, and the leader waits for ever',
    source: 'logcabin#174, dgraph#2698',
  },
  {
    id: 'S23',
    what: 'a second snapshot soon after the first; an older one after a newer',
    source: 'etcd#18055, databend#7833',
  },
  { id: 'S24', what: 'the configuration in a snapshot is not put in force', source: 'openraft#1808' },
  { id: 'S25', what: 'the log begins behind the state', source: 'redisraft#43, camunda#3573' },
  { id: 'S26', what: 'most of both configurations are up, and nobody can be elected', source: 'etcd#12359' },
  {
    id: 'S27',
    what: 'a new leader changes members before it has committed anything',
    source: 'raft-dev 2015, copycat#23, braft#182',
  },
  { id: 'S28', what: 'an election is counted in a configuration that is over', source: 'raft-rs#221' },
  {
    id: 'S29',
    what: 'a leader that demotes itself is not counted in the half that it leaves',
    source: 'scylla#10618',
  },
  { id: 'S30', what: 'one counter for the two halves of a joint configuration', source: 'async-raft#62' },
  { id: 'S31', what: 'the index of a quorum comes from an unsorted list', source: 'openraft#1802' },
  { id: 'S32', what: 'a leader that cannot read its log sends something made up', source: 'openraft#1795' },
  {
    id: 'S33',
    what: 'a second membership change before the first is in force',
    source: 'redisraft#17, #28, #44',
  },
  { id: 'S34', what: 'a retried command is done twice', source: 'openraft#2095, etcd#3587' },
  { id: 'S35', what: 'a command that cannot be done stops all replicas', source: 'curvine#676' },
  {
    id: 'S36',
    what: 'a promoted learner that has not heard of it does not vote',
    source: 'etcd, campaign_learner_must_vote',
  },
  {
    id: 'S37',
    what: 'entries are replaced and come back while they are written',
    source: 'etcd, append_aba_race',
  },
  { id: 'S38', what: 'a deep queue is sent one round trip at a time', source: 'hashicorp GH-541' },
  { id: 'S39', what: 'a write fails at any of the calls that make it', source: "etcd's failpoints" },
  {
    id: 'S40',
    what: 'a node is restarted in the midst of its removal; nobody is left',
    source: 'qdrant#9654',
  },
  {
    id: 'H01',
    what: 'a node that was away never follows a leader that joined meanwhile',
    source: 'simulation seed 43 (hell)',
  },
  {
    id: 'H02',
    what: 'work outlives whom it was begun for, or what tells of his end outlives the work',
    source: 'the memory of simulated runs',
  },
  {
    id: 'H03',
    what: 'a voter that is far behind is counted as one that keeps up',
    source: 'a joiner under load',
  },
  { id: 'H04', what: 'a small block that has rotted is served', source: 'never' },
  {
    id: 'H05',
    what: 'a whole copy that was put aside is deleted for one that has rotted',
    source: 'seed 3 of bench:simulations',
  },
  { id: 'H06', what: 'a node dials for others what it should not, or whom it should not', source: 'never' },
  { id: 'H07', what: 'what a disk has spoilt is taken for a location record', source: 'never' },
  { id: 'H08', what: 'a location record that was removed comes back from disk', source: 'never' },
  {
    id: 'H09',
    what: 'a node whose disk was put back, and whom nobody remembers, breaks its promises',
    source: 'simulation seed 66855 (hell)',
  },
];
