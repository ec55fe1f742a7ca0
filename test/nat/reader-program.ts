/**
 * @module Runs on a machine of its own: `node reader-program.ts PROFILE_DIRECTORY FILE SECONDS [PATH]`. Reads FILE and writes a copy beside
 * it, again and again, no longer than until every datanode is reached by PATH alone. Prints as one line of JSON how its datanodes are
 * reached by then, how fast the last reading was, and how much of it and of its copy went over relays.
 */
import { connect } from '../../src/client/connect.ts';
import { openClientNetwork } from '../../src/client/client-network.ts';
import { loadProfile } from '../../src/client/profile.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import type { PeerPath } from '../../src/network/network.ts';

const [profileDir = '', file = '', seconds = '', awaited] = process.argv.slice(2);
const components = { clock: systemClock, random: systemRandom, logger: silentLogger };
const { peers } = await loadProfile(profileDir);
const relayPeers = (): readonly string[] => peers.map(({ peer }) => peer);
const network = await openClientNetwork(profileDir, components, { relayPeers });
const client = await connect({ ...components, profileDir, network });
const { members } = await client.members();
const datanodes = members.filter(({ roles }) => roles.includes('data')).map(({ peer }) => peer);
const untilMs = performance.now() + Number(seconds) * 1000;
let relayedMib: number;
let mebibytesPerSecond: number;
do {
  const relayedBefore = relayedBytes();
  const startMs = performance.now();
  const bytes = await read();
  mebibytesPerSecond = (bytes.byteLength / 2 ** 20 / (performance.now() - startMs)) * 1000;
  await client.put(`${file}-copy-of-${network.localPeer}`, bytes);
  relayedMib = (relayedBytes() - relayedBefore) / 2 ** 20;
} while (performance.now() < untilMs && !isAwaitedAlone());
const paths = open().map(({ path }) => path);
const figures = { mebibytesPerSecond: Math.round(mebibytesPerSecond), relayedMib: Math.ceil(relayedMib) };
console.log(JSON.stringify({ paths, ...figures }));
await client.close();
await network.stop();

/** How datanodes are reached now; those that are. */
function open(): readonly PeerPath[] {
  return network.paths().filter(({ peer, isOpen }) => isOpen && datanodes.includes(peer));
}

/** A connection gets better before the bulk that is under way leaves the one of before. */
function isAwaitedAlone(): boolean {
  const reached = open().filter(({ path }) => path === awaited);
  return reached.length === datanodes.length && (awaited === 'relayed' || relayedMib === 0);
}

async function read(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await client.get(file)).bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Of all peers, both ways. */
function relayedBytes(): number {
  return network.paths().reduce((sum, path) => sum + path.relayedBytes, 0);
}
