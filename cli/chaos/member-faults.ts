/** @module Members that leave and join while clients are at work: no fault, but what faults must not meet unprepared. */
import { setTimeout as pause } from 'node:timers/promises';
import { isHoldfastError } from '../../src/common/errors.ts';
import type { Client } from '../../src/index.ts';
import type { LocalCluster } from '../demo/local-cluster.ts';
import { areOthersWell, emptyDirectory } from './disk-faults.ts';
import type { FaultKind } from './faults.ts';
import { isTimeout, metadataNames } from './voters.ts';

/** For one request of an administrator, in milliseconds. */
const REQUEST_LIMIT_MS = 15_000;
/** Other faults may last just then; an administrator tries again for so long. */
const PERSISTENCE_MS = 90_000;
const RETRY_MS = 1_000;
const TOKEN_LIFETIME_MS = 3_600_000;

export const MEMBER_FAULTS: readonly FaultKind[] = [
  {
    name: 'replace-metadata-node',
    weight: 1,
    /** Only while all others are well, and stay so: without it they are just enough. */
    async inject(context, name, free) {
      const { cluster, names } = context;
      if (!name.startsWith('m') || !(await areOthersWell(context, free))) return undefined;
      const hasLeft = await administer(cluster, (client, signal) =>
        client.removeMember(cluster.node(name).ready.number, { signal }),
      );
      if (!hasLeft) return undefined;
      return {
        what: `${name} leaves the cluster, and a new one joins in its place`,
        names: metadataNames(names),
        heal: () => joinAnew(cluster, name),
      };
    },
  },
  {
    name: 'drain-datanode',
    weight: 2,
    /** One that is empty by the end is replaced by a new one; another takes copies again. */
    async inject({ cluster }, name) {
      if (!name.startsWith('d')) return undefined;
      const { number } = cluster.node(name).ready;
      const isDraining = await administer(cluster, (client, signal) => client.drain(number, { signal }));
      if (!isDraining) return undefined;
      const heal = (): Promise<string> => persist(() => endDrain(cluster, name));
      return { what: `${name} is drained`, names: [name], heal };
    },
  },
];

/** May be called again after it failed. */
async function endDrain(cluster: LocalCluster, name: string): Promise<string> {
  const { number } = cluster.node(name).ready;
  await using client = await cluster.connect();
  const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
  const { dataNodes } = await client.status({ signal });
  const standing = dataNodes.find(({ member }) => member?.number === number)?.member;
  if (standing?.drain === 'draining') {
    await client.undrain(number, { signal });
    return `${name} drained in part, then active again`;
  }
  if (standing !== undefined && standing.state === 'active') await client.removeMember(number, { signal });
  await joinAnew(cluster, name);
  return `${name} drained and removed, and a new one joined in its place`;
}

/** Under a new number and with a new key, on the same machine. */
async function joinAnew(cluster: LocalCluster, name: string): Promise<void> {
  await cluster.node(name).kill('SIGKILL');
  await emptyDirectory(cluster.nodeDirectory(name));
  // A join that was interrupted goes on from where it was.
  await persist(async () => cluster.join(name, await freshToken(cluster)));
}

/** The one that the cluster was founded with names a metadata node that may have been replaced. */
async function freshToken(cluster: LocalCluster): Promise<string> {
  await using client = await cluster.connect();
  const { token } = await client.createToken(
    { roles: ['meta', 'data'], uses: 1, lifetimeMs: TOKEN_LIFETIME_MS },
    { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) },
  );
  return token;
}

async function persist<T>(attempt: () => Promise<T>): Promise<T> {
  for (const untilMs = performance.now() + PERSISTENCE_MS; ; )
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await pause(RETRY_MS);
    }
}

/** False when the cluster is in no state to do it, and surely has not; what may have been done counts as done. */
async function administer(
  cluster: LocalCluster,
  request: (client: Client, signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  await using client = await cluster.connect();
  try {
    await request(client, AbortSignal.timeout(REQUEST_LIMIT_MS));
    return true;
  } catch (error) {
    if (isTimeout(error)) return true;
    if (!isHoldfastError(error)) throw error;
    return error.kind === 'unknown';
  }
}
