/** @module One TCP port for libp2p, for direct connections and for address probes, told apart by the first byte. Nobody opens two ports in a firewall. */
import type { Server, Socket } from 'node:net';
import { type TCPOptions, tcp } from '@libp2p/tcp';
import { answerProbe, PROBE_BYTE } from './address-probe.ts';
import { SEALED_FIRST_BYTE } from './sealed-socket.ts';
import { TLS_FIRST_BYTE } from './direct-tls.ts';
import { UpgradeRoom } from './upgrade-room.ts';

type TcpFactory = ReturnType<typeof tcp>;

const FIRST_BYTE_TIMEOUT_MS = 10_000;
/** Sockets that have said nothing yet; then the oldest goes. Otherwise strangers take all the file handles of the process. */
const MAX_SILENT_SOCKETS = 1_024;

export interface SharedPortHooks {
  /** The port is open for direct connections from now on. */
  readonly shared: () => void;
  /** Takes over a socket that begins like a direct connection, with `first`; nothing was read from it. */
  readonly direct: (socket: Socket, first: number) => void;
  /** Aborted when the port is to close: it does so once no socket is left, and libp2p does not know those that are none of its own. */
  readonly closing: AbortSignal;
}

/** libp2p's TCP transport. Where its listener is no longer built around a server of Node's, direct connections stay away. */
export function tcpWithSharedPort(hooks: SharedPortHooks, options: TCPOptions = {}): TcpFactory {
  const make = tcp(options);
  const upgrades = new UpgradeRoom();
  return (components) => {
    const transport = make(components);
    const { createListener } = transport;
    transport.createListener = (listenerOptions) => {
      const upgrader = upgrades.around(listenerOptions.upgrader);
      const listener = createListener.call(transport, { ...listenerOptions, upgrader });
      const { server } = listener as { readonly server?: Server };
      if (server !== undefined) sharePort(server, hooks);
      return listener;
    };
    return transport;
  };
}

/** Call it when the server has the listeners for what is not ours. `maxSilent`: MAX_SILENT_SOCKETS when absent. */
export function sharePort(
  server: Server,
  hooks: SharedPortHooks,
  { maxSilent = MAX_SILENT_SOCKETS }: { readonly maxSilent?: number } = {},
): void {
  const handlers = server.listeners('connection') as ((socket: Socket) => void)[];
  const silent = new Set<Socket>();
  hooks.closing.addEventListener('abort', () => {
    for (const socket of silent) socket.destroy();
  });
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (hooks.closing.aborted) return void socket.destroy();
    const [oldest] = silent;
    if (oldest !== undefined && silent.size >= maxSilent) {
      silent.delete(oldest);
      oldest.destroy();
    }
    silent.add(socket);
    const spoken = (): void => void silent.delete(socket);
    socket.once('close', spoken);
    const drop = (): void => void socket.destroy();
    socket.setTimeout(FIRST_BYTE_TIMEOUT_MS, drop);
    socket.on('error', drop);
    socket.once('readable', () => {
      spoken();
      socket.off('close', spoken);
      socket.setTimeout(0, drop);
      socket.off('timeout', drop);
      const first: Uint8Array | null = socket.read();
      if (first === null) return drop();
      socket.off('error', drop);
      socket.unshift(first);
      const [byte] = first;
      // libp2p begins with 19, the length of its first message.
      if (byte === TLS_FIRST_BYTE || byte === SEALED_FIRST_BYTE) hooks.direct(socket, byte);
      else if (byte === PROBE_BYTE) answerProbe(socket);
      else for (const handler of handlers) handler.call(server, socket);
    });
  });
  server.once('listening', hooks.shared);
}
