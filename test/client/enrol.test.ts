/** @module What a newcomer says of itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { enrol } from '../../src/client/enrol.ts';
import { HoldfastError } from '../../src/common/errors.ts';
import type { Network } from '../../src/network/network.ts';
import { JoinRequest } from '../../src/protocol/messages.ts';
import { encodeToken } from '../../src/protocol/token.ts';

// A user without an entry in the system's list, as in many containers.
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: () => {
    throw new Error('uv_os_get_passwd returned ENOENT');
  },
}));

const TOKEN = encodeToken({
  clusterId: 'c',
  tokenId: 't',
  secret: new Uint8Array(24),
  addresses: ['/ip4/127.0.0.1/tcp/1/p2p/P'],
});

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-enrol-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

it('goes by its number where the system has no name for its user', async () => {
  const names: string[] = [];
  const network = {
    localPeer: 'me',
    dial: async () => 'P',
    request: async (_peer: string, _class: string, _method: string, body: Uint8Array) => {
      names.push(JoinRequest.decode(body).member?.name ?? '');
      throw new HoldfastError({ code: 'NAMESPACE_TOKEN_EXPIRED', kind: 'refused', message: '' });
    },
  };
  const asking = enrol(TOKEN, root, { network: network as unknown as Network });
  await expect(asking).rejects.toMatchObject({ code: 'NAMESPACE_TOKEN_EXPIRED' });
  expect(names).toEqual([`${process.getuid?.()}@${hostname()}`]);
});
