/**
 * @module Runs on a machine of its own: `node reader-program.ts PROFILE_DIRECTORY FILE SECONDS`. Reads FILE again and again, and prints
 * as one line of JSON how its datanodes are reached by then, and how fast the last reading was.
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
  let bytes = 0;
  for await (const chunk of (await client.get(file)).bytes) bytes += chunk.byteLength;
  mebibytesPerSecond = (bytes / 2 ** 20 / (performance.now() - startMs)) * 1000;
} while (performance.now() < untilMs);
const { members } = await client.members();
const datanodes = members.filter(({ roles }) => roles.includes('data')).map(({ peer }) => peer);
const paths = network
  .paths()
  .filter(({ peer, isOpen }) => isOpen && datanodes.includes(peer))
  .map(({ path }) => path);
console.log(JSON.stringify({ paths, mebibytesPerSecond: Math.round(mebibytesPerSecond) }));
await client.close();
await network.stop();
