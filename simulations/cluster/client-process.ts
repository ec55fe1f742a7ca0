/** @module A client of the code that ships at work: registers, directories made once, names that move, and leases. */
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/client/connect.ts';
import { MetadataPeers } from '../../src/client/metadata-peers.ts';
import { Mutations } from '../../src/client/mutations.ts';
import { sleep } from '../../src/common/clock.ts';
import { isHoldfastError } from '../../src/common/errors.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { FramedNetwork } from '../../src/network/framed-network.ts';
import { call } from '../../src/network/method.ts';
import type { PeerId } from '../../src/network/network.ts';
import type { JoinRequest, JoinResponse } from '../../src/protocol/messages.ts';
import { JOIN } from '../../src/protocol/methods.ts';
import type { RegisterOperation } from '../checks/register-history.ts';
import { Prng } from '../prng.ts';
import { MachineClock, ProcessClock } from '../world/process-clock.ts';
import { ProcessGate } from '../world/process-gate.ts';
import { SeededRandom } from '../world/seeded-random.ts';
import { SimulatedTransport } from '../world/simulated-transport.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { CLUSTER_ID } from './founding.ts';
import type { Journal } from './journal.ts';
import type { Scenario } from './scenario.ts';

export interface ClientProcessOptions {
  readonly id: number;
  readonly peer: PeerId;
  readonly scenario: Scenario;
}

type Work = 'write' | 'read' | 'make' | 'move' | 'lease';
const WORK: readonly Work[] = ['write', 'write', 'write', 'read', 'read', 'read', 'make', 'move', 'lease'];
const LEASED_PATHS = 2;

export class ClientProcess {
  readonly peer: PeerId;
  readonly network: FramedNetwork;
  readonly #id: number;
  readonly #journal: Journal;
  readonly #clock: ProcessClock;
  readonly #random: SeededRandom;
  readonly #prng: Prng;
  readonly #options: ClientProcessOptions;
  readonly #stopping = new AbortController();
  #client: Client | undefined;
  #working: Promise<void> | undefined;
  #mutations: Mutations | undefined;
  #made = 0;
  /** The directory that is moved from name to name; unknown after an answer that did not come. */
  #moving: number | undefined;

  constructor({ world, links }: ClusterWorld, journal: Journal, options: ClientProcessOptions) {
    const { peer, id, scenario } = options;
    this.peer = peer;
    this.#id = id;
    this.#journal = journal;
    this.#options = options;
    this.#prng = new Prng(scenario.seed, `work of client ${id}`);
    this.#random = new SeededRandom(scenario.seed, `client ${id}`);
    const gate = new ProcessGate({ world });
    this.#clock = new ProcessClock({ world, gate, machine: new MachineClock(world) });
    this.network = new FramedNetwork({
      transport: new SimulatedTransport({ switch: links, gate }, { peer }),
      clock: this.#clock,
      random: this.#random,
      logger: silentLogger,
    });
  }

  /** Asks `via` for admission. */
  async join(via: PeerId, request: JoinRequest): Promise<JoinResponse> {
    return call(this.network, via, JOIN, request);
  }

  /** Once it is a member; again when all the nodes it knew may be gone. */
  async connect(metadataPeers: readonly PeerId[]): Promise<Client> {
    const peers = metadataPeers.map((peer) => ({ peer, addresses: [] }));
    const components = {
      network: this.network,
      clock: this.#clock,
      random: this.#random,
      logger: silentLogger,
    };
    const client = await connect({
      ...components,
      profile: { clusterId: CLUSTER_ID, clusterName: 'simulated', peers },
      host: '',
      owner: { user: '', group: '' },
      refreshPeriodMs: 1_000,
    });
    this.#client = client;
    this.#mutations = new Mutations(
      { metadata: new MetadataPeers(components, peers), random: this.#random },
      { owner: this.peer },
    );
    return client;
  }

  /** Begins to work, until stopped; `failed` hears of what no client may meet. */
  start(failed: (error: unknown) => void): void {
    this.#working = this.#work().catch(failed);
  }

  async #work(): Promise<void> {
    const { thinkMs } = this.#options.scenario;
    while (!this.#stopping.signal.aborted) {
      await this.#one(this.#prng.pick(WORK));
      await sleep(this.#clock, this.#prng.int(thinkMs + 1));
    }
  }

  /** Resolves after the operation that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  /** Everything once more, on a whole cluster: nothing acknowledged may be missing, nothing may be there that nobody made. */
  async readAll(): Promise<void> {
    for (let register = 0; register < this.#options.scenario.registers; register += 1)
      await this.#read(registerPath(register));
    for await (const { name } of this.#opened().list(this.#madeDirectory()))
      this.#journal.found(this.#id, name);
    this.#journal.checkNames(this.#id);
  }

  #one(work: Work): Promise<void> {
    const register = registerPath(this.#prng.int(this.#options.scenario.registers));
    switch (work) {
      case 'write':
        return this.#write(register);
      case 'read':
        return this.#read(register);
      case 'make':
        return this.#make();
      case 'move':
        return this.#move();
      case 'lease':
        return this.#lease();
    }
  }

  async #write(key: string): Promise<void> {
    const value = this.#journal.newValue();
    await this.#record({ client: this.#id, key, kind: 'write', value }, async () => {
      await this.#opened().touch(key, { mtimeMs: value });
      return value;
    });
  }

  async #read(key: string): Promise<void> {
    await this.#record({ client: this.#id, key, kind: 'read', value: 0 }, async () => {
      const { mtimeMs } = await this.#opened().stat(key);
      return mtimeMs;
    });
  }

  async #record(
    operation: Omit<RegisterOperation, 'start' | 'end'>,
    run: () => Promise<number>,
  ): Promise<void> {
    const start = this.#journal.now(operation);
    try {
      const value = await run();
      this.#journal.ended({ ...operation, value, start }, 'done');
    } catch (error) {
      this.#journal.ended({ ...operation, start }, outcomeOf(error), error);
    }
  }

  async #make(): Promise<void> {
    this.#made += 1;
    const name = `${this.#made}`;
    const outcome = await this.#try(`make ${name}`, () =>
      this.#opened().mkdir(`${this.#madeDirectory()}/${name}`),
    );
    this.#journal.made(this.#id, name, outcome);
  }

  /** A move that is done twice finds nothing the second time. */
  async #move(): Promise<void> {
    const from = this.#moving;
    this.#made += 1;
    const next = this.#made;
    const outcome = await this.#try(`move ${from ?? 'nothing'} to ${next}`, () =>
      from === undefined
        ? this.#opened().mkdir(this.#movingPath(next))
        : this.#opened().rename(this.#movingPath(from), this.#movingPath(next)),
    );
    if (outcome === 'done') this.#moving = next;
    else if (outcome === 'unknown') this.#moving = undefined;
  }

  /** Several clients write the same files; the oracle sees what was granted. */
  async #lease(): Promise<void> {
    const path = `/leased-${this.#prng.int(LEASED_PATHS)}`;
    const value = {
      path,
      parents: false,
      replication: 0,
      blockSizeBytes: 0,
      leaseMs: 0,
      precondition: undefined,
    };
    const file = { ...value, complete: false, blocks: [], mtimeMs: 0, attributes: undefined };
    await this.#try(`write ${path}`, async () => {
      const { kind } = (await this.#mutations?.run({ $case: 'createFile', value: file })) ?? {};
      if (kind?.$case !== 'grant') return;
      const { inode, fencingToken } = kind.value;
      const close = { inode, fencingToken, precondition: undefined, mtimeMs: 0 };
      await this.#mutations?.run({ $case: 'closeFile', value: close });
    });
  }

  async #try(what: string, run: () => Promise<void>): Promise<'done' | 'unknown' | 'not-done'> {
    try {
      await run();
      return 'done';
    } catch (error) {
      const outcome = outcomeOf(error);
      this.#journal.failed(this.#id, what, outcome, error);
      return outcome === 'refused' ? 'not-done' : outcome;
    }
  }

  #opened(): Client {
    if (this.#client === undefined) throw new Error('the client is not connected');
    return this.#client;
  }

  #madeDirectory(): string {
    return madePath(this.#id);
  }

  #movingPath(name: number): string {
    return `${movedPath(this.#id)}/${name}`;
  }
}

export function registerPath(register: number): string {
  return `/register-${register}`;
}

export function madePath(client: number): string {
  return `/made-${client}`;
}

export function movedPath(client: number): string {
  return `/moved-${client}`;
}

/** What the error promises of the change. */
function outcomeOf(error: unknown): 'unknown' | 'not-done' | 'refused' {
  if (!isHoldfastError(error)) throw error;
  if (error.kind === 'unknown') return 'unknown';
  return error.kind === 'unavailable' ? 'not-done' : 'refused';
}
