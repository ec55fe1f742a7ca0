/**
 * @module Has the router let connections in where it can be asked: looked for when somebody could not dial this node, renewed at
 * half time, undone at the end. Where no router answers nothing is lost: relays carry on.
 */
import { describeError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { gatewayRefused } from './errors.ts';
import { type Gateway, isPublicAddress, type PortMapping } from './gateway.ts';

/** After a search in vain; doubled each time. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** A permanent one, too, is looked after: a router that was restarted may have forgotten it. */
const LONGEST_RENEWAL_MS = 1_800_000;
const UNMAP_TIMEOUT_MS = 1_000;

export interface PortMapperComponents {
  /** TCP ports that we listen on. */
  readonly ports: () => readonly number[];
  /** Finds the router; throws where there is none that maps ports. */
  readonly find: (signal: AbortSignal) => Promise<Gateway>;
  /** Called when addresses() has changed. */
  readonly changed: () => void;
  readonly logger: Logger;
}

export class PortMapper {
  readonly #components: PortMapperComponents;
  readonly #stopping = new AbortController();
  #gateway: Gateway | undefined;
  #mappings: readonly PortMapping[] = [];
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #mappedMs = 0;
  #failures = 0;

  constructor(components: PortMapperComponents) {
    this.#components = components;
  }

  /** Multiaddrs where the router lets others in. */
  addresses(): readonly string[] {
    return this.#mappings.map(({ host, port }) => `/ip4/${host}/tcp/${port}`);
  }

  /**
   * Somebody could not dial this node. Begins, unless that was in vain just now; what was mapped a while ago is mapped again, as the
   * router may have been restarted. Never throws.
   */
  want(): void {
    const isOld = this.#mappings.length > 0 && performance.now() - this.#mappedMs > FIRST_PAUSE_MS;
    if (this.#timer === undefined || isOld) this.#run();
  }

  /** Undoes the mappings. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
    if (this.#gateway !== undefined) await this.#undo(this.#gateway, this.#mappings);
  }

  #run(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    this.#running = this.#map().finally(() => (this.#running = undefined));
  }

  async #map(): Promise<void> {
    const { find, logger } = this.#components;
    const { signal } = this.#stopping;
    let pauseMs: number;
    try {
      const gateway = this.#gateway ?? (await find(signal));
      this.#gateway = gateway;
      const mappings = await this.#mapAll(gateway, signal);
      this.#take(mappings);
      this.#mappedMs = performance.now();
      this.#failures = 0;
      const lifetimes = mappings.map(({ lifetimeSeconds }) => lifetimeSeconds * 500).filter((ms) => ms > 0);
      pauseMs = Math.min(LONGEST_RENEWAL_MS, ...lifetimes);
    } catch (error) {
      if (signal.aborted) return;
      logger.info('network.port-not-mapped', { cause: describeError(error) });
      this.#gateway = undefined;
      this.#take([]);
      pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
      this.#failures += 1;
    }
    this.#timer = setTimeout(() => this.#run(), pauseMs).unref();
  }

  /** All ports or none: what a failure leaves half done would stay open without anybody knowing of it. */
  async #mapAll(gateway: Gateway, signal: AbortSignal): Promise<readonly PortMapping[]> {
    const mappings: PortMapping[] = [];
    try {
      for (const port of this.#components.ports()) {
        const mapping = await gateway.map(port, signal);
        mappings.push(mapping);
        const reason = `it is behind another router itself, as ${mapping.host}`;
        if (!isPublicAddress(mapping.host)) throw gatewayRefused(`map TCP port ${port}`, reason);
      }
      return mappings;
    } catch (error) {
      await this.#undo(gateway, mappings);
      throw error;
    }
  }

  /** For at most UNMAP_TIMEOUT_MS; never throws: what the router keeps it forgets by itself when its time is over. */
  async #undo(gateway: Gateway, mappings: readonly PortMapping[]): Promise<void> {
    const { logger } = this.#components;
    const signal = AbortSignal.timeout(UNMAP_TIMEOUT_MS);
    for (const mapping of mappings)
      await gateway.unmap(mapping, signal).catch((error: unknown) => {
        logger.info('network.not-unmapped', { ...mapping, cause: describeError(error) });
      });
  }

  #take(mappings: readonly PortMapping[]): void {
    const before = this.addresses().join();
    this.#mappings = mappings;
    if (this.addresses().join() === before) return;
    const { logger, changed } = this.#components;
    for (const mapping of mappings)
      logger.info('network.port-mapped', { ...mapping, by: this.#gateway?.name });
    changed();
  }
}

/** Asks with both protocols at once; the first router that answers is taken. */
export async function findGateway(
  finders: readonly ((signal: AbortSignal) => Promise<Gateway>)[],
  signal: AbortSignal,
): Promise<Gateway> {
  const isOver = new AbortController();
  const limited = AbortSignal.any([signal, isOver.signal]);
  try {
    return await Promise.any(finders.map((find) => find(limited)));
  } catch (cause) {
    signal.throwIfAborted();
    throw gatewayRefused('show itself', 'none answers NAT-PMP or UPnP', cause);
  } finally {
    isOver.abort();
  }
}
