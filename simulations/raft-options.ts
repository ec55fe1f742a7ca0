/** @module The swarm: every seed draws its own cluster, limits and mix of faults. */
import type { RaftSwarmOptions } from './raft-swarm-options.ts';
import { Prng } from './prng.ts';
import { drawRaftMood } from './raft-moods.ts';

/** Even seeds mix everything, as they have from the beginning; odd ones have moods. */
export function drawRaftOptions(seed: number): RaftSwarmOptions {
  const mixed = drawMixedOptions(seed);
  if (seed % 2 === 0) return mixed;
  const moody = { ...mixed, ...drawRaftMood(seed) };
  return { ...moody, maxNodes: Math.max(moody.maxNodes, moody.voters) };
}

function drawMixedOptions(seed: number): RaftSwarmOptions {
  const random = new Prng(seed, 'options');
  const rarely = (perMille: number): number => random.int(perMille + 1) / 1000;
  const voters = random.pick([1, 2, 3, 3, 3, 4, 5, 5]);
  const isSafe = random.chance(0.7);
  return {
    voters,
    maxNodes: voters + random.int(4),
    faultyTicks: random.between(300, 900),
    // One entry per message, one message under way, slow disks: a long backlog takes its time.
    healingTicks: 6000,
    electionTick: random.between(8, 12),
    heartbeatTick: random.between(1, 3),
    preVote: isSafe || random.chance(0.5),
    mixedPreVote: false,
    checkQuorum: isSafe || random.chance(0.5),
    stepDownOnRemoval: random.chance(0.5),
    // By the seed itself: drawing it would give every older seed another cluster.
    asyncStorageWrites: seed % 2 === 1,
    maxSizePerMsgBytes: random.pick([0, 64, 1024]),
    maxCommittedSizePerReadyBytes: random.pick([1, 64, 4096]),
    maxUncommittedSizeBytes: random.pick([0, 100, 1000]),
    maxInflightMsgs: random.pick([1, 3, 64]),
    lossProbability: rarely(150),
    duplicateProbability: rarely(100),
    maxDelayTicks: random.pick([1, 2, 4, 12]),
    stragglerProbability: 0,
    stragglerTicks: 0,
    partitionProbability: rarely(20),
    healProbability: random.between(10, 60) / 1000,
    crashProbability: rarely(8),
    restartProbability: random.between(10, 80) / 1000,
    crashLeaderProbability: 0,
    isolateLeaderProbability: 0,
    skewProbability: rarely(100),
    maxWriteTicks: random.pick([0, 1, 3, 6]),
    proposeProbability: random.between(100, 900) / 1000,
    readProbability: rarely(200),
    changeProbability: rarely(30),
    transferProbability: rarely(10),
    campaignProbability: rarely(10),
    leaderBias: 0,
    snapshotEveryEntries: random.pick([5, 20, 100, 10_000]),
    trailingEntries: random.pick([0, 3, 30]),
  };
}
