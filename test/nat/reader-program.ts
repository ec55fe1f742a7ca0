/**
 * @module Runs on a machine of its own: `node reader-program.ts PROFILE_DIRECTORY FILE SECONDS`. Reads FILE again and again, then once
 * more, writes a copy beside it, and prints as one line of JSON how its datanodes are reached by then, how fast the last reading before
 * was, and how much of the last reading and of the copy went over relays.
 */
import { connect } from '../../src/client/connect.ts';
import { openClientNetwork } from '../../src/client/client-network.ts';
import { loadProfile } from '../../src/client/profile.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';

const [profileDir = '', file = '', seconds = ''] = process.argv.slice(2);
const components = { clock: systemClock, random: systemRandom, logger: silentLogger };
const { peers } = await loadProfile(profileDir);
const relayPeers = (): readonly string[] => peers.map(({ peer }) => peer);
const network = await openClientNetwork(profileDir, components, { relayPeers });
const client = await connect({ ...components, profileDir, network });
const untilMs = performance.now() + Number(seconds) * 1000;
let mebibytesPerSecond: number;
do {
  const startMs = performance.now();
  const bytes = await read();
  mebibytesPerSecond = (bytes.byteLength / 2 ** 20 / (performance.now() - startMs)) * 1000;
} while (performance.now() < untilMs);
const relayedBefore = relayedBytes();
await client.put(`${file}-copy-of-${network.localPeer}`, await read());
const relayedMib = (relayedBytes() - relayedBefore) / 2 ** 20;
const { members } = await client.members();
const datanodes = members.filter(({ roles }) => roles.includes('data')).map(({ peer }) => peer);
const paths = network
  .paths()
  .filter(({ peer, isOpen }) => isOpen && datanodes.includes(peer))
  .map(({ path }) => path);
const figures = { mebibytesPerSecond: Math.round(mebibytesPerSecond), relayedMib: Math.round(relayedMib) };
console.log(JSON.stringify({ paths, ...figures }));
await client.close();
await network.stop();

async function read(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await client.get(file)).bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Of all peers, both ways. */
function relayedBytes(): number {
  return network.paths().reduce((sum, path) => sum + path.relayedBytes, 0);
}
