/**
 * @module A datanode without disks: it joins a cluster, sends heartbeats and keeps its blocks in the location index with the
 * code that ships, and the blocks are hashes of numbers. Started by dht-changes.ts and
 * scale/datanode-growth.ts, which send it its orders, once for each datanode that it shall be.
 */
import { createHash } from 'node:crypto';
import { toHex } from '../../src/common/bytes.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { BlockIndexer } from '../../src/datanode/block-indexer.ts';
import { MemberDirectory } from '../../src/datanode/member-directory.ts';
import { MetadataSession } from '../../src/datanode/metadata-session.ts';
import { NeighbourWatch } from '../../src/datanode/neighbour-watch.ts';
import { loadOrCreateIdentity } from '../../src/network/identity.ts';
import { joinCluster } from '../../src/node/join-cluster.ts';
import { createNodeNetwork } from '../../src/node/node-network.ts';
import { serve } from '../../src/network/method.ts';
import type { Network } from '../../src/network/network.ts';
import { CopyState, NodeLoad } from '../../src/protocol/messages.ts';
import { COPIES } from '../../src/protocol/methods.ts';
import { SyntheticBlocks } from './synthetic-blocks.ts';

/** Blocks `first`, `first + step` and so on, below `end`. */
export interface SyntheticDatanodeOrders {
  readonly token: string;
  readonly directory: string;
  readonly name: string;
  readonly numbers: readonly number[];
  readonly blocks: number;
  readonly modulus: number;
}

export function syntheticHash(number: number): string {
  return createHash('sha256').update(String(number)).digest('hex');
}

async function main(orders: SyntheticDatanodeOrders): Promise<void> {
  const components = { clock: systemClock, random: systemRandom, logger: createLogger({ level: 'warn' }) };
  const { directory, name, token } = orders;
  const node = {
    directory,
    profileDir: `${directory}-client`,
    name,
    host: name,
    roles: ['data' as const],
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
  };
  const { config } = await joinCluster(components, token, node);
  const identity = await loadOrCreateIdentity(`${directory}/key`);
  let members: MemberDirectory | undefined;
  const begin = { epoch: 0, peers: config.bootstrap.map(({ peer }) => peer) };
  const { network, kademlia } = await createNodeNetwork(
    { ...components, identity },
    {
      config,
      isMetadataNode: false,
      known: {
        index: () => members?.indexMembership() ?? begin,
        signers: () => members?.knownMetadata() ?? begin,
      },
    },
  );
  members = new MemberDirectory({ ...components, network }, config.bootstrap);
  const directoryOfMembers = members;
  network.authorize((peer) => directoryOfMembers.isMember(peer));
  await network.start();
  const identityOf = { number: config.number, generation: 1 };
  const held = new Set(hashesOf(orders));
  const blocks = new SyntheticBlocks(held);
  const indexer = new BlockIndexer({ ...components, network, kademlia, blocks }, identityOf);
  // Typed, so that a field which heartbeats come to need is missed when this is compiled.
  const load: { report(): Promise<NodeLoad> } = {
    report: async () => NodeLoad.fromPartial({ blocks: orders.blocks, readOnly: true }),
  };
  const watch: NeighbourWatch = new NeighbourWatch(
    { ...components, network, members },
    { number: config.number, onSilence: () => session.beatNow() },
  );
  const session = new MetadataSession(
    { ...components, network, kademlia, members, indexer, load: load as never, watch },
    {
      ...identityOf,
      clusterId: config.clusterId,
      epoch: config.epoch,
      host: name,
      onFatal: (error) => {
        throw error;
      },
    },
  );
  serveCopies(network, held);
  watch.start();
  session.start();
  process.send?.({ number: config.number });
}

/** The hashes of its numbers. */
function* hashesOf({ blocks, modulus, numbers }: SyntheticDatanodeOrders): Generator<string> {
  for (let number = 0; number < blocks; number++)
    if (numbers.includes(number % modulus)) yield syntheticHash(number);
}

/** Whoever asks for single blocks is told at once, as by a real datanode. */
function serveCopies(network: Network, held: ReadonlySet<string>): void {
  serve(network, COPIES, async ({ hashes }) => ({
    copies: hashes.map((hash) =>
      CopyState.fromPartial({ state: held.has(toHex(hash)) ? 'good' : 'absent', sizeBytes: 1 }),
    ),
  }));
}

if (process.send !== undefined && process.argv[2] === 'run') {
  process.on('message', (orders: SyntheticDatanodeOrders) => void main(orders));
  process.once('disconnect', () => process.exit(0));
}
