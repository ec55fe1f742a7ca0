/** @module What both clients of the rpc suite do with an order, over whatever carries their bytes. */
import type { ChildProcess } from 'node:child_process';
import type { Done, Order, Ready } from './process-pair.ts';

export interface Wire {
  /** Throws when the other end counted another number of bytes. */
  stream(sizeBytes: number): Promise<void>;
  /** Resolves once the body has come back. */
  call(body: Uint8Array): Promise<unknown>;
  close(): Promise<void>;
}

const BODY_BYTES = 200;
const IN_FLIGHT = 64;

/** Obeys the parent process until it goes; `server` is the other end. */
export function obeyOrders(server: ChildProcess, wire: Wire): void {
  process.on('message', (order: Order) => {
    const doing = order.name === 'stream' ? send(wire, order.amount) : callFor(wire, order.amount);
    doing.then(
      (count) => process.send?.({ count } satisfies Done),
      (error: unknown) => {
        throw error;
      },
    );
  });
  process.once('disconnect', () => {
    server.disconnect();
    void wire.close();
  });
  process.send?.({ serverPid: server.pid ?? 0 } satisfies Ready);
}

async function send(wire: Wire, sizeBytes: number): Promise<number> {
  await wire.stream(sizeBytes);
  return sizeBytes;
}

async function callFor(wire: Wire, durationMs: number): Promise<number> {
  const body = new Uint8Array(BODY_BYTES).fill(7);
  const endMs = performance.now() + durationMs;
  let calls = 0;
  const caller = async (): Promise<void> => {
    for (; performance.now() < endMs; calls += 1) await wire.call(body);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return calls;
}
