/** @module Disks that are lost with all that lay on them, but for who the node is. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type FaultContext, type FaultKind, start } from './faults.ts';
import { areAllVoting, metadataNames } from './voters.ts';

/** Of a datanode's directory. */
const BLOCKS = 'blocks';
/** What a metadata node keeps to know who it is, and whom it may ask. */
const IDENTITY: readonly string[] = ['key', 'node.json', 'peers.json', 'manifests'];

export const DISK_FAULTS: readonly FaultKind[] = [
  {
    name: 'wipe-datanode',
    weight: 2,
    /** Always of the same one: what is acknowledged has two copies, and only one of them may go. */
    async inject({ cluster, names }, _name, free) {
      const victim = names.filter((name) => name.startsWith('d')).at(-1);
      if (victim === undefined || !free.includes(victim)) return undefined;
      await cluster.node(victim).kill('SIGKILL');
      await rm(join(cluster.nodeDirectory(victim), BLOCKS), { recursive: true, force: true });
      return {
        what: `${victim} killed, and all its blocks lost`,
        names: [victim],
        heal: () => start(cluster, victim, ['--blocks-lost']),
      };
    },
  },
  {
    name: 'wipe-metadata-node',
    weight: 1,
    /** Only while all others are well, and stay so: it comes back under a new number, which a majority must give it. */
    async inject(context, name, free) {
      const { cluster } = context;
      if (!name.startsWith('m') || !(await areOthersWell(context, free))) return undefined;
      await cluster.node(name).kill('SIGKILL');
      await emptyDirectory(cluster.nodeDirectory(name), IDENTITY);
      return {
        what: `${name} killed, and its log and namespace lost`,
        names: metadataNames(context.names),
        heal: () => start(cluster, name),
      };
    },
  },
];

/** Whether no metadata node bears a fault, and all vote. */
export async function areOthersWell(
  { cluster, names }: FaultContext,
  free: readonly string[],
): Promise<boolean> {
  const all = metadataNames(names);
  return all.every((name) => free.includes(name)) && areAllVoting(cluster, all.length);
}

/** The directory itself stays: a disk may be mounted there. */
export async function emptyDirectory(directory: string, but: readonly string[] = []): Promise<void> {
  const found = await readdir(directory);
  const lost = found.filter((name) => !but.includes(name));
  await Promise.all(lost.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}
