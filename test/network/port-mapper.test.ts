/** @module Routers that are asked to let connections in. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/common/logger.ts';
import type { Gateway } from '../../src/network/gateway.ts';
import { openNatPmp } from '../../src/network/nat-pmp.ts';
import { findGateway, PortMapper } from '../../src/network/port-mapper.ts';
import { openUpnp } from '../../src/network/upnp.ts';
import { type FakeGateway, type FakeIgdOptions, startIgd, startNatPmp } from './fake-gateways.ts';

/** Of a condition on a busy machine, in milliseconds. */
const PATIENCE = { timeout: 10_000 };

const OUTER = '203.0.113.7';
const HERE = '127.0.0.1';
const gateways: FakeGateway[] = [];
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
});

async function igd(options: Partial<FakeIgdOptions> = {}): Promise<FakeGateway> {
  const gateway = await startIgd({ outerAddress: OUTER, listenHost: HERE, ...options });
  gateways.push(gateway);
  return gateway;
}

function mapperOf(
  find: (signal: AbortSignal) => Promise<Gateway>,
  ports: readonly number[] = [4600],
): {
  readonly mapper: PortMapper;
  readonly changed: ReturnType<typeof vi.fn>;
} {
  const changed = vi.fn();
  const mapper = new PortMapper({ ports: () => ports, find, changed, logger: silentLogger });
  return { mapper, changed };
}

const upnpAt = ({ port }: FakeGateway) => {
  const location = new URL(`http://${HERE}:${port}/device.xml`);
  return (signal: AbortSignal): Promise<Gateway> => openUpnp(location, signal);
};

describe('a node behind a router that opens ports', () => {
  it('by UPnP has its port opened, tells where, and has it closed when it stops', async () => {
    const router = await igd();
    const { mapper, changed } = mapperOf(upnpAt(router));
    mapper.want();
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce(), PATIENCE);
    expect(mapper.addresses()).toEqual([`/ip4/${OUTER}/tcp/4600`]);
    expect(router.open.get(4600)).toEqual({ host: HERE, port: 4600, seconds: 7_200 });
    await mapper.stop();
    expect(router.open.size).toBe(0);
  });

  it('by NAT-PMP too, though datagrams are lost and the router chooses another port', async () => {
    const router = await startNatPmp(OUTER);
    gateways.push(router);
    const { mapper, changed } = mapperOf((signal) => openNatPmp(HERE, signal, router.port));
    mapper.want();
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce(), PATIENCE);
    expect(mapper.addresses()).toEqual([`/ip4/${OUTER}/tcp/4601`]);
    expect(router.open.get(4601)).toMatchObject({ port: 4600 });
    await mapper.stop();
    expect(router.open.size).toBe(0);
  });

  it('takes another port where a neighbour has its own, and a lease without end where there is no other', async () => {
    const router = await igd({ permanentOnly: true });
    const neighbour = { host: '10.0.0.9', port: 4600, seconds: 0 };
    router.open.set(4600, neighbour);
    const { mapper, changed } = mapperOf(upnpAt(router));
    mapper.want();
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce(), PATIENCE);
    expect(router.open.get(4601)).toEqual({ host: HERE, port: 4600, seconds: 0 });
    await mapper.stop();
    expect([...router.open]).toEqual([[4600, neighbour]]);
  });

  it('tells of nothing when the router is behind another one, and leaves nothing open', async () => {
    const router = await igd({ outerAddress: '192.168.1.2' });
    const { mapper, changed } = mapperOf(upnpAt(router));
    mapper.want();
    await vi.waitFor(() => expect(router.asked).toContain('DeletePortMapping'), PATIENCE);
    await mapper.stop();
    expect([mapper.addresses(), changed.mock.calls.length, router.open.size]).toEqual([[], 0, 0]);
  });

  it('has all its ports opened or none', async () => {
    const router = await igd({ maxPorts: 1 });
    const { mapper } = mapperOf(upnpAt(router), [4600, 4700]);
    mapper.want();
    await vi.waitFor(() => expect(router.asked).toContain('DeletePortMapping'), PATIENCE);
    await mapper.stop();
    expect([mapper.addresses(), router.open.size]).toEqual([[], 0]);
  });

  it('asks nobody else whom a device in the network names', async () => {
    const router = await igd({ controlUrl: 'http://203.0.113.99/control' });
    await expect(upnpAt(router)(AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'NETWORK_GATEWAY_REFUSED',
      message: expect.stringContaining('203.0.113.99'),
    });
  });

  it('goes on without one where none answers, and asks again only after a while', async () => {
    let searches = 0;
    const nobody = async (): Promise<Gateway> => {
      searches += 1;
      throw new Error('none');
    };
    const { mapper } = mapperOf((signal) => findGateway([nobody], signal));
    mapper.want();
    await vi.waitFor(() => expect(searches).toBe(1), PATIENCE);
    mapper.want();
    await mapper.stop();
    expect([searches, mapper.addresses()]).toEqual([1, []]);
    const search = findGateway([nobody], AbortSignal.timeout(1_000));
    await expect(search).rejects.toMatchObject({ code: 'NETWORK_GATEWAY_REFUSED', kind: 'unavailable' });
  });
});
