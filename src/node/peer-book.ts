/** @module peers.json: the metadata nodes as last heard of, for a start at which log and namespace cannot be read. */
import { readFile } from 'node:fs/promises';
import type { BackgroundWorker, WorkState } from '../common/worker.ts';
import type { StateMachine } from '../namespace/state-machine.ts';
import { writeDurably } from './durable-file.ts';
import { configDamaged, systemCode } from './errors.ts';
import { type BootstrapPeer, isBootstrapPeer } from './node-config.ts';

const IDLE_MS = 1_000;

/** Keeps the file in step with the registry. */
export class PeerBook implements BackgroundWorker {
  readonly name = 'peer-book';
  readonly idleMs: number = IDLE_MS;
  readonly #file: string;
  readonly #machine: StateMachine;
  #version = -1;

  constructor(file: string, machine: StateMachine) {
    this.#file = file;
    this.#machine = machine;
  }

  async work(): Promise<WorkState> {
    const version = this.#machine.counters().membersVersion;
    if (version === this.#version || version === 0) return 'idle';
    const peers = this.#machine
      .members()
      .filter(({ state, roles }) => state === 'active' && roles.includes('meta'))
      .map(({ number, peer, addresses }): BootstrapPeer => ({ number, peer, addresses }));
    await writeDurably(this.#file, `${JSON.stringify(peers, undefined, 2)}\n`);
    this.#version = version;
    return 'idle';
  }
}

/** Undefined where there is no file yet. Errors: NODE_CONFIG_DAMAGED. */
export async function loadPeers(file: string): Promise<readonly BootstrapPeer[] | undefined> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw configDamaged(file, systemCode(error));
  }
  if (!Array.isArray(value) || !value.every(isBootstrapPeer))
    throw configDamaged(file, 'it holds no list of peers');
  return value;
}
