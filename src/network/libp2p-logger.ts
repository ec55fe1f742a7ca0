/**
 * @module What libp2p says to itself. It makes a logger for each connection and stream, and texts for each of them, whether anybody
 * reads or not; here nobody does, unless the environment asks for it as usual (DEBUG=libp2p:*).
 */
import type { ComponentLogger, Logger } from '@libp2p/interface';

const mute: Logger = Object.assign(() => undefined, {
  error: () => undefined,
  trace: () => undefined,
  enabled: false,
  newScope: () => mute,
});

/** For createLibp2p; undefined where its own, which writes to standard error, is wanted. */
export function libp2pLogger(): ComponentLogger | undefined {
  return process.env['DEBUG'] === undefined ? { forComponent: () => mute } : undefined;
}
