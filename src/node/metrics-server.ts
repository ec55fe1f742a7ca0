/** @module Prometheus metrics of a node over HTTP, for who asks with --metrics-listen. */
import { createServer, type Server } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { WorkerStanding } from '../common/worker.ts';
import type { KeeperReport, ScrubReport } from '../protocol/messages.ts';
import type { StoreUsage } from '../storage/block-store.ts';
import {
  addKeeper,
  addRaft,
  addScrub,
  addUsage,
  addWorkers,
  PREFIX,
  type RaftPosition,
} from './node-gauges.ts';
import { invalidAddress, portInUse, systemCode } from './errors.ts';

/** What a node can say of itself; roles that it does not run are absent. */
export interface MetricsSource {
  readonly usage?: (() => Promise<StoreUsage>) | undefined;
  readonly raft?: (() => RaftPosition) | undefined;
  readonly keeper?: (() => KeeperReport | undefined) | undefined;
  readonly scrub?: (() => ScrubReport | undefined) | undefined;
  /** By role. */
  readonly workers: ReadonlyMap<string, () => readonly WorkerStanding[]>;
}

const LISTEN = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/;
const LOOPBACK = '127.0.0.1';
const EXAMPLE = '127.0.0.1:9464';
const MAX_PORT = 65_535;

export class MetricsServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `listen`: "host:port", ":port" for loopback. Errors: NODE_INVALID_ADDRESS, NODE_PORT_IN_USE. */
  static async start(source: MetricsSource, listen: string): Promise<MetricsServer> {
    const [, ipv6, host, port] = LISTEN.exec(listen) ?? [];
    if (port === undefined || Number(port) > MAX_PORT)
      throw invalidAddress(listen, 'it has no host and port', EXAMPLE);
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
          systemCode(error) === 'EADDRINUSE'
            ? portInUse(listen)
            : invalidAddress(listen, error.message, EXAMPLE),
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

function registryOf({ usage, raft, keeper, scrub, workers }: MetricsSource): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  if (usage !== undefined) addUsage(registry, usage);
  if (raft !== undefined) addRaft(registry, raft);
  if (keeper !== undefined) addKeeper(registry, keeper);
  if (scrub !== undefined) addScrub(registry, scrub);
  addWorkers(registry, workers);
  return registry;
}
