/**
 * @module The sockets of peers that came with a ticket. No libp2p connection watches over them, as over all others: the kernel does,
 * and each ends with its ticket, so that nobody stays for longer with a stolen one than its lifetime.
 */
import type { Socket } from 'node:net';
import type { PeerId } from './network.ts';

const MAX_SOCKETS = 4096;
/**
 * Commands side by side with one profile. Each socket costs buffers before anybody has asked whether its peer is a member still:
 * one that was removed, or a thief, must not take all the room there is.
 */
export const MAX_SOCKETS_PER_PEER = 128;
/** How long a connection is idle before the kernel asks whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000;

export class ResumedSockets {
  readonly #sockets = new Map<PeerId, Set<Socket>>();
  #count = 0;

  /** Those whose handshake is under way are not counted yet. */
  hasRoomFor(peer: PeerId): boolean {
    return this.#count < MAX_SOCKETS && (this.#sockets.get(peer)?.size ?? 0) < MAX_SOCKETS_PER_PEER;
  }

  /** `lifeMs`: what is left of the life of its ticket. */
  add(peer: PeerId, socket: Socket, lifeMs: number): void {
    const sockets = this.#sockets.get(peer) ?? new Set();
    this.#sockets.set(peer, sockets.add(socket));
    this.#count += 1;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const timer = setTimeout(() => socket.destroy(), lifeMs).unref();
    socket.once('close', () => {
      clearTimeout(timer);
      this.#count -= 1;
      sockets.delete(socket);
      if (sockets.size === 0) this.#sockets.delete(peer);
    });
  }

  close(): void {
    for (const sockets of this.#sockets.values()) for (const socket of sockets) socket.destroy();
  }
}
