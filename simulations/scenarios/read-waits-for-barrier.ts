/** @module S03: a read that asks nobody may be answered by one who leads no more (redisraft#18). */
import { deepEqual } from 'node:assert/strict';
import { silentLogger } from '../../src/common/logger.ts';
import { NamespaceService } from '../../src/metadata/namespace-service.ts';
import { call } from '../../src/network/method.ts';
import { LIST, STAT, STAT_MANY } from '../../src/protocol/methods.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { BugScenario } from '../bug-scenario.ts';
import { peerOf } from '../cluster/founding.ts';
import { ManualNamespace } from '../manual-namespace.ts';
import { networkPair } from '../network-pair.ts';

export const scenario: BugScenario = {
  claim: 'a read waits for the proof that it sees all there is, unless it says that it need not',
  async run() {
    await using networks = await networkPair();
    const { machine } = await ManualNamespace.open(new MemoryRowStore());
    const seen: string[] = [];
    new NamespaceService({
      network: networks.first,
      machine,
      members: { activeByPeer: () => undefined, byNumber: () => undefined },
      driver: {
        propose: () => Promise.reject(new Error('nothing is proposed here')),
        isLeader: true,
        leader: 1,
      },
      proposer: { submit: () => Promise.reject(new Error('nothing is submitted here')) },
      barrier: { wait: async () => void seen.push('proof') },
      logger: silentLogger,
    }).start();
    const client = networks.second;
    await call(client, peerOf(1), STAT, { path: '/', stale: true });
    seen.push('stat');
    await call(client, peerOf(1), STAT, { path: '/', stale: false });
    seen.push('list');
    await call(client, peerOf(1), LIST, { path: '/', after: '', limit: 0, stale: false });
    seen.push('stats');
    const requests = [{ path: '/', stale: true }];
    await call(client, peerOf(1), STAT_MANY, { requests });
    seen.push('fresh stats');
    await call(client, peerOf(1), STAT_MANY, { requests: [...requests, { path: '/', stale: false }] });
    deepEqual(seen, ['stat', 'proof', 'list', 'proof', 'stats', 'fresh stats', 'proof']);
  },
};
