/** @module The tickets of a client's metadata nodes, kept beside its key for its next command. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../common/clock.ts';
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { PeerId } from '../network/network.ts';
import type { HeldTicket, TicketShelf } from '../network/ticket-transport.ts';
import { MAX_KNOWN_PEERS, replacePrivateFile } from './profile.ts';

export interface TicketFileComponents {
  readonly clock: Clock;
  readonly logger: Logger;
}

interface KeptTicket extends HeldTicket {
  readonly expiresAtMs: number;
}

/** What is lost of it costs a command some hundred milliseconds, so nothing that is wrong with it is an error. */
export class TicketFile implements TicketShelf {
  readonly #components: TicketFileComponents;
  readonly #profileDir: string;
  readonly #tickets: Map<PeerId, KeptTicket>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    profileDir: string,
    components: TicketFileComponents,
    tickets: ReadonlyMap<PeerId, KeptTicket>,
  ) {
    this.#profileDir = profileDir;
    this.#components = components;
    this.#tickets = new Map(tickets);
  }

  static async open(profileDir: string, components: TicketFileComponents): Promise<TicketFile> {
    return new TicketFile(profileDir, components, await readTickets(profileDir, components.logger));
  }

  get(peer: PeerId): HeldTicket | undefined {
    const ticket = this.#tickets.get(peer);
    return ticket !== undefined && ticket.expiresAtMs > this.#components.clock.wallMs() ? ticket : undefined;
  }

  /** Takes the place of an earlier one. Of too many the oldest goes. */
  add(peer: PeerId, ticket: HeldTicket): void {
    this.#tickets.delete(peer);
    this.#tickets.set(peer, { ...ticket, expiresAtMs: this.#components.clock.wallMs() + ticket.lifetimeMs });
    const [oldest] = this.#tickets.keys();
    if (this.#tickets.size > MAX_KNOWN_PEERS && oldest !== undefined) this.#tickets.delete(oldest);
    this.#write();
  }

  remove(peer: PeerId): void {
    if (this.#tickets.delete(peer)) this.#write();
  }

  /** Resolves when what was added and removed is in the file. */
  written(): Promise<void> {
    return this.#writing;
  }

  /** One after the other; processes that share a profile may overwrite each other's, which costs little. */
  #write(): void {
    this.#writing = this.#writing.then(async () => {
      try {
        const text = JSON.stringify([...this.#tickets].map(([peer, ticket]) => toJson(peer, ticket)));
        await replacePrivateFile(this.#profileDir, ticketFile(this.#profileDir), `${text}\n`);
      } catch (error) {
        this.#components.logger.debug('client.tickets-not-kept', { cause: describeError(error) });
      }
    });
  }
}

function ticketFile(profileDir: string): string {
  return join(profileDir, 'tickets.json');
}

async function readTickets(profileDir: string, logger: Logger): Promise<ReadonlyMap<PeerId, KeptTicket>> {
  try {
    const list: unknown = JSON.parse(await readFile(ticketFile(profileDir), 'utf8'));
    return new Map(Array.isArray(list) ? list.slice(0, MAX_KNOWN_PEERS).flatMap(fromJson) : []);
  } catch (error) {
    logger.debug('client.no-tickets', { cause: describeError(error) });
    return new Map();
  }
}

function toJson(peer: PeerId, { key, ...ticket }: KeptTicket): Record<string, unknown> {
  return { peer, ...ticket, key: Buffer.from(key).toString('base64') };
}

/** None where it is not one of ours. */
function fromJson(value: unknown): [PeerId, KeptTicket][] {
  const { peer, id, key, lifetimeMs, expiresAtMs, address } = Object(value) as Record<string, unknown>;
  const { host, port } = Object(address) as Record<string, unknown>;
  if (typeof peer !== 'string' || typeof id !== 'string' || typeof key !== 'string') return [];
  if (typeof host !== 'string' || typeof port !== 'number') return [];
  if (typeof lifetimeMs !== 'number' || typeof expiresAtMs !== 'number') return [];
  const secret = Buffer.from(key, 'base64');
  return [[peer, { id, key: secret, lifetimeMs, expiresAtMs, address: { host, port } }]];
}
