/** @module Where a node listens, and under which addresses others can reach it. */
import { createServer, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { invalidAddress, invalidAnnouncement, portInUse, systemCode } from './errors.ts';

const DEFAULT_PORT = 4600;
const MAX_PORT = 65_535;
/** Both families: listenable() leaves IPv6 out wherever there is none. */
export const DEFAULT_LISTEN: readonly string[] = [
  `/ip4/0.0.0.0/tcp/${DEFAULT_PORT}`,
  `/ip6/::/tcp/${DEFAULT_PORT}`,
];
/** Names are looked up by who dials. */
const ANNOUNCED = /^\/(ip4|ip6|dns[46]?)\/([^/\s]+)\/tcp\/(\d{1,5})(?:\/p2p\/[^/\s]+)?$/;
const ANY_IP6 = '/ip6/::/';
/** fe80::/10: of use on one cable only, and only with the name of an interface. */
const LINK_LOCAL = /^fe[89ab]/i;

interface ListenAddress {
  readonly family: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Those of `listen` that can be listened on now: all, but the IPv6 wildcard on a machine without IPv6, if there is another. It
 * stays in node.json: the machine may be given IPv6 one day.
 */
export async function listenable(
  listen: readonly string[],
  hasIp6: () => Promise<boolean> = canListenOnIp6,
): Promise<readonly string[]> {
  const others = listen.filter((address) => !address.startsWith(ANY_IP6));
  if (others.length === 0 || others.length === listen.length || (await hasIp6())) return listen;
  return others;
}

/**
 * Replaces port 0 by a free port, so that the address stays the same over restarts and can stand in a token.
 * Errors: NODE_INVALID_ADDRESS, NODE_PORT_IN_USE (a named port that somebody holds now).
 */
export async function fixPorts(listen: readonly string[]): Promise<string[]> {
  const usable = new Set(await listenable(listen));
  const fixed: string[] = [];
  for (const address of listen) {
    const parsed = parseListenAddress(address);
    const port = usable.has(address) ? await probePort(address, parsed) : parsed.port;
    if (port !== 0) fixed.push(`/${parsed.family}/${parsed.host}/tcp/${port}`);
  }
  return fixed;
}

/**
 * What is announced goes into the registry and into tokens as it stands: others can dial each of `announce`, and it is one
 * machine's. Error: NODE_INVALID_ADDRESS.
 */
export function checkAnnounced(announce: readonly string[]): readonly string[] {
  for (const address of announce) {
    const [, family, host = '', digits] = ANNOUNCED.exec(address) ?? [];
    const port = Number(digits);
    const isHost =
      family === 'ip4'
        ? isIPv4(host) && host !== '0.0.0.0'
        : family === 'ip6'
          ? isIPv6(host) && host !== '::'
          : family !== undefined;
    if (!isHost || port < 1 || port > MAX_PORT) throw invalidAnnouncement(address);
  }
  return announce;
}

/** Full multiaddrs for others to dial: `announce` if given, else `listen` with wildcards replaced by the machine's addresses. */
export function dialableAddresses(
  peer: string,
  listen: readonly string[],
  announce: readonly string[],
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string[] {
  const plain = announce.length > 0 ? announce : expandAll(listen, interfaces);
  return plain.map((address) => (address.includes('/p2p/') ? address : `${address}/p2p/${peer}`));
}

function expandAll(
  listen: readonly string[],
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): readonly string[] {
  const found = listen.flatMap((address) => expand(address, interfaces));
  // Loopback is of use only where there is nothing else: elsewhere it would send a peer to itself.
  const outside = found.filter(({ isInternal }) => !isInternal);
  return (outside.length > 0 ? outside : found).map(({ address }) => address);
}

interface Expanded {
  readonly address: string;
  /** Loopback, in the place of a wildcard. */
  readonly isInternal: boolean;
}

function expand(address: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): readonly Expanded[] {
  const { family, host, port } = parseListenAddress(address);
  if (host !== '0.0.0.0' && host !== '::') return [{ address, isInternal: false }];
  const wanted = family === 'ip4' ? 'IPv4' : 'IPv6';
  return Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .filter((entry) => entry.family === wanted && !LINK_LOCAL.test(entry.address))
    .map((entry) => ({ address: `/${family}/${entry.address}/tcp/${port}`, isInternal: entry.internal }));
}

/** Asks the system itself: an interface may have IPv6 and the kernel not, and the other way round. */
function canListenOnIp6(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '::', port: 0, ipv6Only: true }, () => server.close(() => resolve(true)));
  });
}

function parseListenAddress(address: string): ListenAddress {
  const match = /^\/(ip4|ip6)\/([0-9a-fA-F.:]+)\/tcp\/(\d{1,5})$/.exec(address);
  if (match === null) throw invalidAddress(address, 'only /ip4 or /ip6 with /tcp is supported');
  const [, family = '', host = '', digits = ''] = match;
  const port = Number(digits);
  if (port > MAX_PORT) throw invalidAddress(address, 'ports end at 65535');
  return { family, host, port };
}

/** Binds and releases: the port itself, or a free one for 0. */
function probePort(address: string, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      reject(
        systemCode(error) === 'EADDRINUSE' ? portInUse(address) : invalidAddress(address, systemCode(error)),
      ),
    );
    // As libp2p listens: the IPv6 wildcard leaves the port of IPv4 to its neighbour.
    server.listen({ host, port, exclusive: true, ipv6Only: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : port));
    });
  });
}
