/** @module A client and a metadata node that takes its time. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CONNECT_PATIENCE_MS, MetadataPeers } from '../../src/client/metadata-peers.ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { systemRandom } from '../../src/common/random.ts';
import { noQuorum } from '../../src/metadata/errors.ts';
import { MemoryNetwork, MemorySwitch, memoryAddress } from '../../src/network/memory-network.ts';
import { serve } from '../../src/network/method.ts';
import { MEMBERS, MUTATE, STAT } from '../../src/protocol/methods.ts';

const COLLABORATORS = { clock: systemClock, random: systemRandom, logger: silentLogger };
/** The first peer is asked first. */
const firstOf = { ...systemRandom, int: () => 0 };
const CHANGE = { command: { session: 's', sequence: 1, ackedBelow: 1, command: undefined } };

describe('the metadata nodes a client knows', () => {
  let home: MemorySwitch;
  let server: MemoryNetwork;
  let network: MemoryNetwork;
  let metadata: MetadataPeers;
  let arrived: PromiseWithResolvers<void>;

  beforeEach(async () => {
    home = new MemorySwitch(COLLABORATORS);
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

  describe('when the first of two does not answer a change', () => {
    let second: MemoryNetwork;
    let asked: string[];

    beforeEach(async () => {
      asked = [];
      second = new MemoryNetwork({ switch: home, ...COLLABORATORS }, { peer: 'second' });
      second.authorize(() => true);
      serve(second, MUTATE, async () => {
        asked.push('second');
        return { index: 1, result: undefined, leader: '' };
      });
      await second.start();
      const peers = ['server', 'second'].map((peer) => ({ peer, addresses: [memoryAddress(peer)] }));
      metadata = new MetadataPeers({ network, ...COLLABORATORS, random: firstOf }, peers);
    });
    afterEach(() => second.stop());

    it('leave one that gives no sign of life either within two seconds, and say that it may have been done', async () => {
      serve(server, MEMBERS, () => new Promise<never>(() => {}));
      let unknown = 0;
      const begunMs = performance.now();
      await metadata.ask(MUTATE, CHANGE, { onUnknown: () => (unknown += 1) });
      expect(performance.now() - begunMs).toBeLessThan(2_000);
      expect({ asked, unknown, current: metadata.current }).toEqual({
        asked: ['second'],
        unknown: 1,
        current: 'second',
      });
    });

    it('leave one that is only being dialled after a second: of the others each may take as long, and surely nothing was sent', async () => {
      const openStream = home.openStream.bind(home);
      vi.spyOn(home, 'openStream').mockImplementation((source, target, trafficClass) =>
        target === 'server' ? (new Promise(() => {}) as never) : openStream(source, target, trafficClass),
      );
      let unknown = 0;
      const begunMs = performance.now();
      await metadata.ask(MUTATE, CHANGE, { onUnknown: () => (unknown += 1) });
      expect(performance.now() - begunMs).toBeLessThan(CONNECT_PATIENCE_MS + 1_000);
      expect({ asked, unknown }).toEqual({ asked: ['second'], unknown: 0 });
    });

    it('are left for the one that leads, but not for one that is not known', () => {
      metadata.prefer('second');
      expect(metadata.current).toBe('second');
      metadata.prefer('stranger');
      metadata.prefer('');
      expect(metadata.current).toBe('second');
    });

    it('are not left for one that has just failed, though it leads', async () => {
      server.authorize(() => false);
      await metadata.ask(MUTATE, CHANGE);
      metadata.prefer('server');
      expect(metadata.current).toBe('second');
    });

    it('are asked in turn when one of them does not know the client yet', async () => {
      server.authorize(() => false);
      await metadata.ask(MUTATE, CHANGE);
      expect({ asked, current: metadata.current }).toEqual({ asked: ['second'], current: 'second' });
    });

    it('refuse a client that none of them knows, each asked once', async () => {
      server.authorize(() => false);
      second.authorize(() => false);
      await expect(metadata.ask(MUTATE, CHANGE)).rejects.toMatchObject({ code: 'NETWORK_NOT_A_MEMBER' });
    });

    it('refuse at once a client that most of them do not know, though the others are gone', async () => {
      server.authorize(() => false);
      second.authorize(() => false);
      const peers = ['gone', 'server', 'second'].map((peer) => ({ peer, addresses: [memoryAddress(peer)] }));
      metadata = new MetadataPeers({ network, ...COLLABORATORS, random: firstOf }, peers);
      const begunMs = performance.now();
      await expect(metadata.ask(MUTATE, CHANGE)).rejects.toMatchObject({ code: 'NETWORK_NOT_A_MEMBER' });
      expect(performance.now() - begunMs).toBeLessThan(2_000);
    });

    it('do not call a change refused that was cut off at one and that another, far behind, knows nothing of', async () => {
      second.authorize(() => false);
      const change = metadata.ask(MUTATE, CHANGE, { patienceMs: 1_000, onUnknown: () => {} });
      const outcome = expect(change).rejects.toMatchObject({ kind: 'unknown' });
      await arrived.promise;
      home.cut('client', 'server');
      await outcome;
    });

    it('stay with one that is only slow', async () => {
      serve(server, MEMBERS, async () => ({ members: [], cluster: undefined, version: 0 }));
      const change = metadata.ask(MUTATE, CHANGE, { patienceMs: 1_800, onUnknown: () => {} });
      await expect(change).rejects.toMatchObject({ kind: 'unknown' });
      expect(asked).toEqual([]);
    });
  });
});
