/** @module Spares a stream most of its window updates: the library sends one, as a packet of its own, for every frame. */
import type { Stream } from '@libp2p/interface';

/** What we know of a yamux stream (@chainsafe/libp2p-yamux, stream.js). */
interface YamuxWindow {
  readonly state: number;
  /** Bytes the peer may send before it needs an update, and how many of them are left. */
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate: () => void;
}

/** Yamux's number for a stream that is open on both sides; in others an update may carry a flag that is due. */
const ESTABLISHED = 3;

/** From now on the peer is told of room once half of its window is used up, as yamux in other languages does. */
export function spareWindowUpdates(stream: Stream): void {
  if (!isYamux(stream)) return;
  const send = stream.sendWindowUpdate.bind(stream);
  stream.sendWindowUpdate = () => {
    const isAmple = stream.recvWindowCapacity * 2 > stream.recvWindow;
    if (stream.state !== ESTABLISHED || !isAmple) send();
  };
}

/** Another version of the library may differ: then it works as before, only slower. */
function isYamux(stream: object): stream is YamuxWindow {
  const { state, recvWindow, recvWindowCapacity, sendWindowUpdate } = stream as Partial<YamuxWindow>;
  const numbers = [state, recvWindow, recvWindowCapacity];
  return numbers.every((value) => typeof value === 'number') && typeof sendWindowUpdate === 'function';
}
