/** @module H06: "can you dial me?" is answered for somebody else, makes us dial what we should not, or is answered only so often. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { silentLogger } from '../../src/common/logger.ts';
import { DialBack, type DialBackComponents } from '../../src/network/dial-back.ts';
import { memoryStreamPair } from '../../src/network/memory-stream.ts';
import type { BugScenario } from '../bug-scenario.ts';

const PEER = '12D3KooWGRUVqb3UkpFTqQEYqPfJyeYZyLXCU4eGpzzWGYgdFGjq';
const SOCKET = '/ip4/127.0.0.1/tcp/1';
const RELAYED = `/p2p/${PEER}/p2p-circuit`;
/** More than may be under way at once. */
const QUESTIONS = 40;

export const scenario: BugScenario = {
  claim: 'a node dials back the asking peer itself, at sockets alone, and as often as it is asked',
  async run() {
    const dialled: string[] = [];
    const server = dialBack(async (address) => {
      dialled.push(address.toString());
      return {} as Connection;
    });
    const asked = Array.from({ length: QUESTIONS }, () => `${SOCKET}/p2p/${PEER}`);
    for (const _ of asked) equal(await ask(server, SOCKET), true);
    await rejects(ask(server, RELAYED));
    deepEqual(dialled, asked);
  },
};

function dialBack(dial: DialBackComponents['dial']): DialBack {
  return new DialBack({ dial, hasDialled: () => false, logger: silentLogger });
}

function ask(server: DialBack, address: string): Promise<boolean> {
  const [ours, theirs] = memoryStreamPair((deliver) => queueMicrotask(deliver));
  server.serve(PEER, theirs);
  const asker = dialBack(() => Promise.reject(new Error('it only asks')));
  return asker.ask(PEER, ours, [multiaddr(`${address}/p2p/${PEER}`)]);
}
