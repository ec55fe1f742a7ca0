/** @module Prometheus metrics of a node over HTTP, for who asks with --metrics-listen. The only home of prom-client. */
import { createServer, type Server } from 'node:http';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { WorkerStanding } from '../common/worker.ts';
import type { StoreUsage } from '../storage/block-store.ts';
import { invalidAddress, portInUse, systemCode } from './errors.ts';

/** What a node can say of itself; roles that it does not run are absent. */
export interface MetricsSource {
  readonly usage?: (() => Promise<StoreUsage>) | undefined;
  readonly raft?:
    | (() => {
        readonly term: number;
        readonly commit: number;
        readonly applied: number;
        readonly isLeader: boolean;
      })
    | undefined;
  /** By role. */
  readonly workers: ReadonlyMap<string, () => readonly WorkerStanding[]>;
}

const PREFIX = 'holdfast_';
const LISTEN = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/;
const LOOPBACK = '127.0.0.1';

export class MetricsServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `listen`: "host:port", ":port" for loopback. Errors: NODE_INVALID_ADDRESS, NODE_PORT_IN_USE. */
  static async start(source: MetricsSource, listen: string): Promise<MetricsServer> {
    const [, ipv6, host, port] = LISTEN.exec(listen) ?? [];
    if (port === undefined) throw invalidAddress(listen, 'write host:port, e.g. 127.0.0.1:9464');
    const registry = registryOf(source);
    const server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end();
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(
          systemCode(error) === 'EADDRINUSE' ? portInUse(listen) : invalidAddress(listen, error.message),
        ),
      );
      server.listen(Number(port), ipv6 ?? (host || LOOPBACK), resolve);
    });
    return new MetricsServer(server);
  }

  /** Of the socket; the port is the real one where 0 was asked for. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function registryOf({ usage, raft, workers }: MetricsSource): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  if (usage !== undefined) addUsage(registry, usage);
  if (raft !== undefined) addRaft(registry, raft);
  addWorkers(registry, workers);
  return registry;
}

function addUsage(registry: Registry, usage: () => Promise<StoreUsage>): void {
  const store = new Gauge({
    name: `${PREFIX}block_store_bytes`,
    help: 'Bytes of the block store: its capacity, what is used, free, and in quarantine.',
    labelNames: ['of'],
    registers: [registry],
    async collect() {
      const { capacityBytes, usedBytes, freeBytes, quarantinedBytes, blockCount, quarantinedCount } =
        await usage();
      store.set({ of: 'capacity' }, capacityBytes);
      store.set({ of: 'used' }, usedBytes);
      store.set({ of: 'free' }, freeBytes);
      store.set({ of: 'quarantined' }, quarantinedBytes);
      blocks.set({ state: 'in-service' }, blockCount);
      blocks.set({ state: 'quarantined' }, quarantinedCount);
    },
  });
  const blocks = new Gauge({
    name: `${PREFIX}blocks`,
    help: 'Copies of blocks held here.',
    labelNames: ['state'],
    registers: [registry],
  });
}

function addRaft(registry: Registry, raft: NonNullable<MetricsSource['raft']>): void {
  const position = new Gauge({
    name: `${PREFIX}raft`,
    help: 'Term, commit index and applied index of the metadata log, and whether this node leads (1).',
    labelNames: ['of'],
    registers: [registry],
    collect() {
      const { term, commit, applied, isLeader } = raft();
      position.set({ of: 'term' }, term);
      position.set({ of: 'commit' }, commit);
      position.set({ of: 'applied' }, applied);
      position.set({ of: 'leader' }, isLeader ? 1 : 0);
    },
  });
}

function addWorkers(registry: Registry, workers: MetricsSource['workers']): void {
  const labelNames = ['role', 'worker'];
  const steps = new Gauge({
    name: `${PREFIX}worker_steps`,
    help: 'Steps of each background worker since the start.',
    labelNames,
    registers: [registry],
    collect() {
      for (const [role, standings] of workers)
        for (const { name: worker, steps: count, failures, state } of standings()) {
          steps.set({ role, worker }, count);
          failed.set({ role, worker }, failures);
          stuck.set({ role, worker }, state === 'stuck' ? 1 : 0);
        }
    },
  });
  const failed = new Gauge({
    name: `${PREFIX}worker_failures`,
    help: 'Steps of it that failed.',
    labelNames,
    registers: [registry],
  });
  const stuck = new Gauge({
    name: `${PREFIX}worker_stuck`,
    help: '1 while the last step failed.',
    labelNames,
    registers: [registry],
  });
}
