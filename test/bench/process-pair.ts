/** @module A client process that starts its server, and does what the rpc suite tells it; measured from outside. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { MIB } from '../../src/common/bytes.ts';
import { measured, usageOf } from './process-usage.ts';
import type { RpcCase } from './rpc-suite.ts';
import { round } from './statistics.ts';
import type { Contender, Sample } from './suite.ts';

/** To the client. */
export interface Order {
  readonly name: RpcCase['name'];
  /** Of the stream; or milliseconds of calls. */
  readonly amount: number;
}
/** From the client, first of all. */
export interface Ready {
  readonly serverPid: number;
}
/** From the client, when an order is done: bytes, or calls. */
export interface Done {
  readonly count: number;
}

const GIB: number = 1024 * MIB;
const WARM_UP_MS = 1_000;
const CALLS_MS = 4_000;

export class ProcessPair implements Contender<RpcCase> {
  readonly name: string;
  readonly durability: string;
  readonly #client: ChildProcess;
  readonly #pids: readonly number[];
  readonly #streamBytes: number;

  private constructor(name: string, durability: string, client: ChildProcess, ready: Ready, bytes: number) {
    this.name = name;
    this.durability = durability;
    this.#client = client;
    this.#pids = [client.pid ?? 0, ready.serverPid];
    this.#streamBytes = bytes;
  }

  static async start(
    name: string,
    { client, streamBytes }: { readonly client: string; readonly streamBytes: number },
    durability: string,
  ): Promise<ProcessPair> {
    const child = fork(new URL(`./${client}`, import.meta.url));
    const [ready] = (await once(child, 'message')) as [Ready];
    const pair = new ProcessPair(name, durability, child, ready, streamBytes);
    await pair.#obey({ name: 'calls', amount: WARM_UP_MS });
    await pair.#obey({ name: 'stream', amount: Math.ceil(streamBytes / 8) });
    return pair;
  }

  async measure({ name }: RpcCase): Promise<Sample> {
    const order = { name, amount: name === 'stream' ? this.#streamBytes : CALLS_MS };
    const { result, seconds, cpuSeconds } = await measured(this.#pids, () => this.#obey(order));
    return name === 'stream'
      ? {
          figure: round(result.count / 1e6 / seconds, 1),
          cpuSeconds: round((cpuSeconds * GIB) / result.count, 2),
        }
      : { figure: round(result.count / seconds), cpuSeconds: round((cpuSeconds * 1000) / result.count, 4) };
  }

  peakRssMib(): number {
    return Math.max(...this.#pids.map((pid) => usageOf(pid)?.peakRssMib ?? 0));
  }

  async stop(): Promise<void> {
    const exit = once(this.#client, 'exit');
    this.#client.disconnect();
    await exit;
  }

  async #obey(order: Order): Promise<Done> {
    const done = once(this.#client, 'message');
    this.#client.send(order);
    return ((await done) as [Done])[0];
  }
}
