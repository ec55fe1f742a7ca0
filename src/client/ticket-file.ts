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

export interface TicketFileOptions {
  readonly profileDir: string;
  /** Whose tickets they are. */
  readonly localPeer: PeerId;
}

interface KeptTicket extends HeldTicket {
  readonly expiresAtMs: number;
}

/** What is lost of it costs a command some hundred milliseconds, so nothing that is wrong with it is an error. */
export class TicketFile implements TicketShelf {
  readonly #components: TicketFileComponents;
  readonly #options: TicketFileOptions;
  readonly #tickets: Map<PeerId, KeptTicket>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    components: TicketFileComponents,
    options: TicketFileOptions,
    tickets: ReadonlyMap<PeerId, KeptTicket>,
  ) {
    this.#components = components;
    this.#options = options;
    this.#tickets = new Map(tickets);
  }

  static async open(components: TicketFileComponents, options: TicketFileOptions): Promise<TicketFile> {
    return new TicketFile(components, options, await readTickets(options, components.logger));
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
      const { profileDir, localPeer } = this.#options;
      try {
        const list = [...this.#tickets].map(([peer, ticket]) => toJson(peer, ticket, localPeer));
        await replacePrivateFile(profileDir, ticketFile(profileDir), `${JSON.stringify(list)}\n`);
      } catch (error) {
        this.#components.logger.debug('client.tickets-not-kept', { cause: describeError(error) });
      }
    });
  }
}

function ticketFile(profileDir: string): string {
  return join(profileDir, 'tickets.json');
}

async function readTickets(
  { profileDir, localPeer }: TicketFileOptions,
  logger: Logger,
): Promise<ReadonlyMap<PeerId, KeptTicket>> {
  try {
    const list: unknown = JSON.parse(await readFile(ticketFile(profileDir), 'utf8'));
    if (!Array.isArray(list)) return new Map();
    return new Map(list.slice(0, MAX_KNOWN_PEERS).flatMap((value) => fromJson(value, localPeer)));
  } catch (error) {
    logger.debug('client.no-tickets', { cause: describeError(error) });
    return new Map();
  }
}

function toJson(peer: PeerId, { key, ...ticket }: KeptTicket, holder: PeerId): Record<string, unknown> {
  return { peer, holder, ...ticket, key: Buffer.from(key).toString('base64') };
}

/** None where it is not one of ours. With those of a key that was replaced this client would go on as whom it was before. */
function fromJson(value: unknown, localPeer: PeerId): [PeerId, KeptTicket][] {
  const { peer, holder, id, key, lifetimeMs, expiresAtMs, address } = Object(value) as Record<
    string,
    unknown
  >;
  const { host, port } = Object(address) as Record<string, unknown>;
  if (typeof peer !== 'string' || typeof id !== 'string' || typeof key !== 'string') return [];
  if (holder !== localPeer || typeof host !== 'string' || typeof port !== 'number') return [];
  if (typeof lifetimeMs !== 'number' || typeof expiresAtMs !== 'number') return [];
  const secret = Buffer.from(key, 'base64');
  return [[peer, { id, key: secret, lifetimeMs, expiresAtMs, address: { host, port } }]];
}
