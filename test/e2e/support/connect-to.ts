/** @module A client that knows one metadata node only. */
import type { LocalCluster } from '../../../cli/demo/local-cluster.ts';
import type { NodeProcess } from '../../../cli/demo/node-process.ts';
import { type Client, connect, loadProfile } from '../../../src/index.ts';

export async function connectTo({ profileDir }: LocalCluster, { ready }: NodeProcess): Promise<Client> {
  const peers = [{ peer: ready.peer, addresses: ready.addresses }];
  return connect({ profileDir, profile: { ...(await loadProfile(profileDir)), peers } });
}
