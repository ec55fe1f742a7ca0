/** @module Protocols of other services, which only members may speak. */
import type { Connection, Stream, StreamHandler } from '@libp2p/interface';
import { expect, it } from 'vitest';
import { guardProtocols, type HandlerRegistry } from '../../src/network/protocol-guard.ts';

it('stands before a protocol from the moment on at which it is served, and before no other', async () => {
  const handlers = new Map<string, StreamHandler>();
  const registry: HandlerRegistry = {
    handle: async (protocol, handler) => void handlers.set(protocol, handler),
  };
  guardProtocols(registry, ['/kad'], async (peer) => peer === 'member');
  const served: string[] = [];
  for (const protocol of ['/kad', '/ping'])
    await registry.handle(protocol, async (_stream, { remotePeer }) => {
      served.push(`${protocol} to ${remotePeer.toString()}`);
    });
  const reset: unknown[] = [];
  const stream = { abort: (cause: unknown) => void reset.push(cause) } as unknown as Stream;
  for (const peer of ['stranger', 'member'])
    for (const protocol of ['/kad', '/ping'])
      await handlers.get(protocol)?.(stream, { remotePeer: peer } as unknown as Connection);
  expect(served).toEqual(['/ping to stranger', '/kad to member', '/ping to member']);
  expect(reset).toEqual([expect.objectContaining({ code: 'NETWORK_NOT_A_MEMBER' })]);
});
