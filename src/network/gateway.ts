/** @module A router that can be asked to let connections in: what its protocols (nat-pmp.ts, upnp.ts) have in common. */
import { BlockList, isIPv4 } from 'node:net';

export interface PortMapping {
  /** Of this machine. */
  readonly localPort: number;
  /** Where the router lets others in. */
  readonly host: string;
  readonly port: number;
  /** Until the router forgets it by itself, in seconds; 0: never. */
  readonly lifetimeSeconds: number;
}

export interface Gateway {
  /** For people: protocol and address. */
  readonly name: string;
  /**
   * Lets TCP connections in to `localPort` of this machine, or renews that. Errors: NETWORK_GATEWAY_REFUSED, and whatever is in
   * the way of an answer.
   */
  map(localPort: number, signal: AbortSignal): Promise<PortMapping>;
  /** Undoes it. */
  unmap(mapping: PortMapping, signal: AbortSignal): Promise<void>;
}

/** Asked for; RFC 6886 §3.3 recommends two hours, and routers that were restarted forget it earlier anyway. */
export const MAPPING_SECONDS = 7_200;

const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  PRIVATE.addSubnet(net, bits);

/** An outer address of a router that is itself behind another one (RFC 1918, RFC 6598) lets nobody in. */
export function isPublicAddress(host: string): boolean {
  return isIPv4(host) && !PRIVATE.check(host);
}
