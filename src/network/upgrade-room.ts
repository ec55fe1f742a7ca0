/**
 * @module Connections that came in and have not yet proved whose they are: so many at once, and when there are so many, whoever has
 * the most of them loses one. Libp2p counts them all together and turns away whoever comes next, for ten seconds if those who came
 * before say nothing: a single stranger could keep every member out.
 */
import type { MultiaddrConnection, Upgrader } from '@libp2p/interface';
import { overloaded } from './errors.ts';
import { socketAddressOf } from './relay-address.ts';

/** Below what libp2p allows (libp2p-settings.ts). */
const MAX_UPGRADES = 512;

type Upgrading = Pick<MultiaddrConnection, 'remoteAddr' | 'abort'>;

export class UpgradeRoom {
  readonly #max: number;
  /** By the host that they come from; the oldest first. */
  readonly #byHost = new Map<string, Set<Upgrading>>();
  #count = 0;

  constructor({ max = MAX_UPGRADES }: { readonly max?: number } = {}) {
    this.#max = max;
  }

  /** `upgrader`, with this room for what comes in. */
  around(upgrader: Upgrader): Upgrader {
    const limited: Pick<Upgrader, 'upgradeInbound'> = {
      upgradeInbound: async (connection, options) => {
        const leave = this.#enter(connection);
        try {
          await upgrader.upgradeInbound(connection, options);
        } finally {
          leave();
        }
      },
    };
    return Object.assign(Object.create(upgrader) as Upgrader, limited);
  }

  #enter(connection: Upgrading): () => void {
    if (this.#count >= this.#max) this.#makeRoom();
    const host = socketAddressOf(connection.remoteAddr)?.host ?? '';
    const its = this.#byHost.get(host) ?? new Set();
    this.#byHost.set(host, its.add(connection));
    this.#count += 1;
    return () => this.#leave(host, connection);
  }

  #leave(host: string, connection: Upgrading): void {
    const its = this.#byHost.get(host);
    if (its?.delete(connection) !== true) return;
    this.#count -= 1;
    if (its.size === 0) this.#byHost.delete(host);
  }

  /** The longest queue loses its head, as routers do it (Suter et al., 1998): many nodes behind one address compete with each other. */
  #makeRoom(): void {
    let host = '';
    let most: ReadonlySet<Upgrading> = new Set();
    for (const [each, its] of this.#byHost) if (its.size > most.size) [host, most] = [each, its];
    const [oldest] = most;
    if (oldest === undefined) return;
    this.#leave(host, oldest);
    oldest.abort(overloaded(host, 'set of connections that have not proved whose they are'));
  }
}
