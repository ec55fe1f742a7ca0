/** @module Where a node listens, and under which addresses others can reach it. */
import { createServer } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { invalidAddress, portInUse, systemCode } from './errors.ts';

export const DEFAULT_PORT = 4600;
export const DEFAULT_LISTEN: readonly string[] = [`/ip4/0.0.0.0/tcp/${DEFAULT_PORT}`];

interface ListenAddress {
  readonly family: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Replaces port 0 by a free port, so that the address stays the same over restarts and can stand in a token.
 * Errors: NODE_INVALID_ADDRESS, NODE_PORT_IN_USE (a named port that somebody holds now).
 */
export async function fixPorts(listen: readonly string[]): Promise<string[]> {
  const fixed: string[] = [];
  for (const address of listen) {
    const parsed = parseListenAddress(address);
    const port = await probePort(address, parsed);
    fixed.push(`/${parsed.family}/${parsed.host}/tcp/${port}`);
  }
  return fixed;
}

/** Full multiaddrs for others to dial: `announce` if given, else `listen` with wildcards replaced by the machine's addresses. */
export function dialableAddresses(
  peer: string,
  listen: readonly string[],
  announce: readonly string[],
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string[] {
  const plain = announce.length > 0 ? announce : listen.flatMap((address) => expand(address, interfaces));
  return plain.map((address) => (address.includes('/p2p/') ? address : `${address}/p2p/${peer}`));
}

function expand(address: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string[] {
  const { family, host, port } = parseListenAddress(address);
  if (host !== '0.0.0.0' && host !== '::') return [address];
  const wanted = family === 'ip4' ? 'IPv4' : 'IPv6';
  const found = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .filter((entry) => entry.family === wanted && !entry.address.startsWith('fe80:'));
  // Loopback is of use only where there is nothing else: elsewhere it would send a peer to itself.
  const outside = found.filter((entry) => !entry.internal);
  return (outside.length > 0 ? outside : found).map((entry) => `/${family}/${entry.address}/tcp/${port}`);
}

function parseListenAddress(address: string): ListenAddress {
  const match = /^\/(ip4|ip6)\/([0-9a-fA-F.:]+)\/tcp\/(\d{1,5})$/.exec(address);
  if (match === null) throw invalidAddress(address, 'only /ip4 or /ip6 with /tcp is supported');
  const [, family = '', host = '', digits = ''] = match;
  const port = Number(digits);
  if (port > 65_535) throw invalidAddress(address, 'ports end at 65535');
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
    server.listen({ host, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : port));
    });
  });
}
