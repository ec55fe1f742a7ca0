/**
 * @module Some seeds concentrate on few kinds of faults at high rates: what needs one odd event after the other within
 * one term is hardly ever met where everything goes wrong now and then.
 */
import { Prng } from './prng.ts';
import type { RaftSwarmOptions } from './raft-swarm-options.ts';

type RaftMood = (random: Prng) => Partial<RaftSwarmOptions>;

/**
 * Terms so short that much happens in a run, and yet longer than two packets and two writes: an election must be able to
 * end before the next begins (Raft §5.6).
 */
function hasty(random: Prng): Partial<RaftSwarmOptions> {
  return {
    electionTick: random.between(5, 7),
    heartbeatTick: 1,
    maxWriteTicks: random.pick([0, 1]),
    preVote: random.chance(0.3),
    checkQuorum: random.chance(0.3),
    faultyTicks: random.between(600, 900),
  };
}

/** Leaders die soon after their election, over what they have replicated in part (Raft figure 8). */
function leadersDie(random: Prng): Partial<RaftSwarmOptions> {
  return {
    ...hasty(random),
    ...STABLE_MEMBERSHIP,
    faultyTicks: random.between(900, 1_500),
    voters: random.pick([3, 3, 3, 5]),
    maxSizePerMsgBytes: 0,
    maxInflightMsgs: random.pick([1, 3]),
    maxDelayTicks: random.pick([1, 2, 4]),
    lossProbability: random.between(200, 500) / 1000,
    partitionProbability: 0,
    crashProbability: 0,
    crashLeaderProbability: random.between(20, 200) / 1000,
    restartProbability: random.between(50, 300) / 1000,
    proposeProbability: random.between(50, 400) / 1000,
    leaderBias: 0.8,
    snapshotEveryEntries: 10_000,
  };
}

/** Leaders are cut off, go on for a while, and packets of their time arrive long after it. */
function leadersAreLate(random: Prng): Partial<RaftSwarmOptions> {
  return {
    ...hasty(random),
    ...STABLE_MEMBERSHIP,
    voters: random.pick([3, 3, 5]),
    maxDelayTicks: random.pick([2, 4, 8]),
    stragglerProbability: random.between(100, 500) / 1000,
    stragglerTicks: random.between(10, 60),
    duplicateProbability: random.between(0, 300) / 1000,
    lossProbability: random.between(0, 300) / 1000,
    partitionProbability: 0,
    isolateLeaderProbability: random.between(20, 100) / 1000,
    healProbability: random.between(20, 60) / 1000,
    crashProbability: 0,
    readProbability: random.between(300, 900) / 1000,
    leaderBias: random.between(300, 900) / 1000,
    campaignProbability: random.between(0, 20) / 1000,
    snapshotEveryEntries: random.pick([20, 10_000]),
  };
}

/** Members come and go while what is committed is applied slowly. */
function membersChange(random: Prng): Partial<RaftSwarmOptions> {
  const voters = random.pick([2, 3, 4]);
  return {
    voters,
    maxNodes: voters + random.between(2, 5),
    changeProbability: random.between(50, 200) / 1000,
    maxCommittedSizePerReadyBytes: 1,
    maxWriteTicks: random.pick([1, 3, 4]),
    leaderBias: random.between(0, 900) / 1000,
    crashLeaderProbability: random.between(0, 30) / 1000,
    isolateLeaderProbability: random.between(0, 30) / 1000,
    restartProbability: random.between(50, 200) / 1000,
    snapshotEveryEntries: random.pick([20, 10_000]),
  };
}

/** Everybody is behind, so that snapshots cross each other and the entries that follow them. */
function snapshotsCross(random: Prng): Partial<RaftSwarmOptions> {
  return {
    ...STABLE_MEMBERSHIP,
    voters: random.pick([3, 5]),
    snapshotEveryEntries: random.between(1, 5),
    trailingEntries: random.pick([0, 1]),
    duplicateProbability: random.between(100, 400) / 1000,
    lossProbability: random.between(50, 300) / 1000,
    stragglerProbability: random.between(50, 300) / 1000,
    stragglerTicks: random.between(5, 40),
    proposeProbability: random.between(300, 900) / 1000,
    maxWriteTicks: random.pick([1, 3, 4]),
    leaderBias: 0.8,
  };
}

/** A version that turns pre-vote on is being rolled out. */
function preVoteComes(random: Prng): Partial<RaftSwarmOptions> {
  return {
    ...hasty(random),
    mixedPreVote: true,
    voters: random.pick([2, 3, 4]),
    lossProbability: random.between(0, 200) / 1000,
    isolateLeaderProbability: random.between(0, 60) / 1000,
    crashLeaderProbability: random.between(0, 60) / 1000,
    restartProbability: random.between(20, 200) / 1000,
  };
}

const STABLE_MEMBERSHIP: Partial<RaftSwarmOptions> = { changeProbability: 0, transferProbability: 0 };

/** None in particular. */
function anything(): Partial<RaftSwarmOptions> {
  return { asyncStorageWrites: true };
}

const MOODS: readonly RaftMood[] = [
  anything,
  leadersDie,
  leadersDie,
  leadersDie,
  leadersAreLate,
  leadersAreLate,
  membersChange,
  membersChange,
  snapshotsCross,
  preVoteComes,
];

/** What the seed's mood, if it has one, changes of its options. */
export function drawRaftMood(seed: number): Partial<RaftSwarmOptions> {
  const random = new Prng(seed, 'mood');
  const mood = random.pick(MOODS);
  return { asyncStorageWrites: random.chance(0.5), ...mood(random) };
}
