/** @module Where a node listens, and what it tells others to dial. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  checkAnnounced,
  DEFAULT_LISTEN,
  dialableAddresses,
  fixPorts,
  listenable,
} from '../../src/node/listen-address.ts';

const LOOPBACK = { address: '127.0.0.1', family: 'IPv4', internal: true };
const LOOPBACK_6 = { address: '::1', family: 'IPv6', internal: true };
const OUTSIDE_6 = { address: '2001:db8::7', family: 'IPv6', internal: false };
const LINK_LOCAL = { address: 'fe80::1', family: 'IPv6', internal: false };
const OUTSIDE = { address: '192.0.2.7', family: 'IPv4', internal: false };

function machine(...entries: object[]): Parameters<typeof dialableAddresses>[3] {
  return { eth0: entries } as Parameters<typeof dialableAddresses>[3];
}

describe('listen addresses', () => {
  it('get a free port for good in place of port 0', async () => {
    const [address] = await fixPorts(['/ip4/127.0.0.1/tcp/0']);
    expect(address).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d+$/);
  });

  it('are refused with NODE_PORT_IN_USE when somebody listens there', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    await expect(fixPorts([`/ip4/127.0.0.1/tcp/${port}`])).rejects.toMatchObject({
      code: 'NODE_PORT_IN_USE',
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it.each(['127.0.0.1:4600', '/ip4/0.0.0.0/udp/4600', '/ip4/0.0.0.0/tcp/70000', '/ip4/999.0.0.1/tcp/0'])(
    'refuse %s',
    async (address) => {
      await expect(fixPorts([address])).rejects.toMatchObject({ code: 'NODE_INVALID_ADDRESS' });
    },
  );
});

describe('the default', () => {
  const [over4 = '', over6 = ''] = DEFAULT_LISTEN;

  it('is both families, on one port', async () => {
    expect(DEFAULT_LISTEN).toEqual(['/ip4/0.0.0.0/tcp/4600', '/ip6/::/tcp/4600']);
    expect(await listenable(DEFAULT_LISTEN, async () => true)).toEqual(DEFAULT_LISTEN);
  });

  it('does without IPv6 on a machine that has none', async () => {
    expect(await listenable(DEFAULT_LISTEN, async () => false)).toEqual([over4]);
  });

  it('is not bent for who asks for IPv6 alone, or for an address of it', async () => {
    for (const listen of [[over6], [over4, '/ip6/2001:db8::7/tcp/4600']])
      expect(await listenable(listen, async () => false)).toEqual(listen);
  });

  it('is dialled at the addresses of both families, not at those of loopback or of one cable', () => {
    const found = machine(LOOPBACK, LOOPBACK_6, LINK_LOCAL, OUTSIDE, OUTSIDE_6);
    expect(dialableAddresses('P', DEFAULT_LISTEN, [], found)).toEqual([
      '/ip4/192.0.2.7/tcp/4600/p2p/P',
      '/ip6/2001:db8::7/tcp/4600/p2p/P',
    ]);
    expect(dialableAddresses('P', DEFAULT_LISTEN, [], machine(LOOPBACK, LOOPBACK_6, OUTSIDE))).toEqual([
      '/ip4/192.0.2.7/tcp/4600/p2p/P',
    ]);
  });
});

describe('addresses to dial', () => {
  it('replace the wildcard by the addresses of the machine, loopback left out', () => {
    expect(dialableAddresses('P', ['/ip4/0.0.0.0/tcp/4600'], [], machine(LOOPBACK, OUTSIDE))).toEqual([
      '/ip4/192.0.2.7/tcp/4600/p2p/P',
    ]);
  });

  it('fall back to loopback on a machine without a network', () => {
    expect(dialableAddresses('P', ['/ip4/0.0.0.0/tcp/4600'], [], machine(LOOPBACK))).toEqual([
      '/ip4/127.0.0.1/tcp/4600/p2p/P',
    ]);
  });

  it('are what the operator announces, if anything', () => {
    expect(dialableAddresses('P', ['/ip4/0.0.0.0/tcp/4600'], ['/dns4/a.example/tcp/1'])).toEqual([
      '/dns4/a.example/tcp/1/p2p/P',
    ]);
  });
});

describe('what is announced', () => {
  it.each([
    '/ip4/203.0.113.7/tcp/4600',
    '/ip6/2001:db8::7/tcp/4600',
    '/dns/node.example.org/tcp/4600',
    '/dns4/localhost/tcp/1/p2p/P',
  ])('may be %s', (address) => {
    expect(checkAnnounced([address])).toEqual([address]);
  });

  it.each([
    'nonsense',
    '203.0.113.7:4600',
    '/ip4/203.0.113.7/udp/4600',
    '/ip4/203.0.113.7',
    '/ip4/203.0.113.777/tcp/4600',
    '/ip4/0.0.0.0/tcp/4600',
    '/ip6/::/tcp/4600',
    '/ip6/203.0.113.7/tcp/4600',
    '/ip4/203.0.113.7/tcp/0',
    '/ip4/203.0.113.7/tcp/70000',
    '/dns/node.example.org /tcp/4600',
  ])('is refused when nobody can dial it: %s', (address) => {
    expect(() => checkAnnounced(['/ip4/203.0.113.7/tcp/4600', address])).toThrow(
      expect.objectContaining({ code: 'NODE_INVALID_ADDRESS', facts: { address } }),
    );
  });
});
