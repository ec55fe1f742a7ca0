import type { Stream } from '@libp2p/interface';
import { describe, expect, it } from 'vitest';
import { spareWindowUpdates } from '../../src/network/window-updates.ts';

const SYN_RECEIVED = 2;
const ESTABLISHED = 3;

function streamWith(state: number, left: number): { updates: number; sendWindowUpdate: () => void } {
  const stream = {
    state,
    recvWindow: 1_000,
    recvWindowCapacity: left,
    updates: 0,
    sendWindowUpdate() {
      this.updates += 1;
    },
  };
  spareWindowUpdates(stream as unknown as Stream);
  return stream;
}

describe('window updates', () => {
  it('are spared while more than half of the window is left', () => {
    const stream = streamWith(ESTABLISHED, 501);
    stream.sendWindowUpdate();
    expect(stream.updates).toBe(0);
  });

  it('are sent from half of the window on', () => {
    const stream = streamWith(ESTABLISHED, 500);
    stream.sendWindowUpdate();
    expect(stream.updates).toBe(1);
  });

  it('are sent while the stream is being opened, since they carry its acknowledgement', () => {
    const stream = streamWith(SYN_RECEIVED, 1_000);
    stream.sendWindowUpdate();
    expect(stream.updates).toBe(1);
  });
});
