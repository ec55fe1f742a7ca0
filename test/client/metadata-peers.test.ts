/** @module A client and a metadata node that takes its time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataPeers } from '../../src/client/metadata-peers.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { noQuorum } from '../../src/metadata/errors.ts';
import { MemoryNetwork, MemorySwitch, memoryAddress } from '../../src/network/memory-network.ts';
import { serve } from '../../src/network/method.ts';
import { MUTATE, STAT } from '../../src/protocol/methods.ts';

const COLLABORATORS = { clock: systemClock, random: systemRandom, logger: silentLogger };
const CHANGE = { command: { session: 's', sequence: 1, ackedBelow: 1, command: undefined } };

describe('the metadata nodes a client knows', () => {
  let server: MemoryNetwork;
  let network: MemoryNetwork;
  let metadata: MetadataPeers;
  let arrived: PromiseWithResolvers<void>;

  beforeEach(async () => {
    const home = new MemorySwitch(COLLABORATORS);
    server = new MemoryNetwork({ switch: home, ...COLLABORATORS }, { peer: 'server' });
    network = new MemoryNetwork({ switch: home, ...COLLABORATORS }, { peer: 'client' });
    server.authorize(() => true);
    arrived = Promise.withResolvers();
    serve(server, MUTATE, () => {
      arrived.resolve();
      return new Promise<never>(() => {});
    });
    serve(server, STAT, () => Promise.reject(noQuorum('read the latest state', 3000)));
    await Promise.all([server.start(), network.start()]);
    const peers = [{ peer: 'server', addresses: [memoryAddress('server')] }];
    metadata = new MetadataPeers({ network, ...COLLABORATORS }, peers);
  });
  afterEach(async () => {
    await Promise.all([server.stop(), network.stop()]);
  });

  it('leave it open whether a change was done that was under way when the client was closed', async () => {
    const change = metadata.ask(MUTATE, CHANGE, { onUnknown: () => {} });
    const outcome = expect(change).rejects.toMatchObject({ code: 'CLIENT_CLOSED', kind: 'unknown' });
    await arrived.promise;
    metadata.close();
    await outcome;
  });

  it('are not asked any more by a client that was closed', async () => {
    metadata.close();
    const change = metadata.ask(MUTATE, CHANGE, { onUnknown: () => {} });
    await expect(change).rejects.toMatchObject({ code: 'CLIENT_CLOSED', kind: 'refused' });
  });

  it('are heard: what the last one could not do is the reason of the failure, with its own code', async () => {
    const stat = metadata.ask(STAT, { path: '/', stale: false }, { patienceMs: 300 });
    await expect(stat).rejects.toMatchObject({ code: 'METADATA_NO_QUORUM', kind: 'unavailable' });
  });

  it('are said to be silent when none answers', async () => {
    await server.stop();
    const stat = metadata.ask(STAT, { path: '/', stale: false }, { patienceMs: 300 });
    await expect(stat).rejects.toMatchObject({ code: 'CLIENT_NO_METADATA', kind: 'unavailable' });
  });
});
