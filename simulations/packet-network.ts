/** @module A network that loses, duplicates, delays, reorders and cuts links, by its seed. */
import type { Message, NodeId } from '../raft/types.ts';
import type { Prng } from './prng.ts';

export interface PacketNetworkOptions {
  readonly lossProbability: number;
  readonly duplicateProbability: number;
  /** Each packet takes [1, maxDelayTicks] ticks; reordering falls out. */
  readonly maxDelayTicks: number;
  /** Some take up to this many ticks more: they arrive in another term, or when a partition is over. */
  readonly stragglerProbability: number;
  readonly stragglerTicks: number;
}

export interface PacketNetworkComponents {
  readonly random: Prng;
  /** Of its own, so that a seed without stragglers is the run that it was before there were any. */
  readonly stragglerRandom: Prng;
}

/** Which packets of an isolated node are lost: those it is sent, those it sends, or both. */
export type Isolation = 'both' | 'in' | 'out';

interface Packet {
  readonly readyAt: number;
  readonly message: Message;
}

/** Packets under way, by tick of arrival. A cut is one-directional, so partitions may be asymmetric. */
export class PacketNetwork {
  readonly #random: Prng;
  readonly #stragglerRandom: Prng;
  #options: PacketNetworkOptions;
  #packets: Packet[] = [];
  #cuts = new Set<string>();
  #lost: Message[] = [];

  constructor({ random, stragglerRandom }: PacketNetworkComponents, options: PacketNetworkOptions) {
    this.#random = random;
    this.#stragglerRandom = stragglerRandom;
    this.#options = options;
  }

  send(message: Message, now: number): void {
    const { lossProbability, duplicateProbability, maxDelayTicks } = this.#options;
    if (this.#random.chance(lossProbability) || this.isCut(message.from, message.to)) {
      this.#lost.push(message);
      return;
    }
    const copies = this.#random.chance(duplicateProbability) ? 2 : 1;
    for (let i = 0; i < copies; i++)
      this.#packets.push({
        readyAt: now + this.#random.between(1, maxDelayTicks) + this.#straggle(),
        message,
      });
  }

  /** Takes out what arrives at tick `now`, in order of sending. Packets on a link cut meanwhile are lost. */
  deliver(now: number): Message[] {
    const due = this.#packets.filter((packet) => packet.readyAt <= now);
    this.#packets = this.#packets.filter((packet) => packet.readyAt > now);
    const arrived: Message[] = [];
    for (const { message } of due)
      (this.isCut(message.from, message.to) ? this.#lost : arrived).push(message);
    return arrived;
  }

  /** Takes out the messages lost since the last call, for those whose loss the sender learns of. */
  takeLost(): Message[] {
    const lost = this.#lost;
    this.#lost = [];
    return lost;
  }

  /** No link is cut. */
  get isWhole(): boolean {
    return this.#cuts.size === 0;
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  /** Splits `ids` in two sides; one in four such cuts is in one direction only, one in four cuts a single link. */
  partition(ids: readonly NodeId[]): void {
    if (ids.length < 2) return;
    const kind = this.#random.int(4);
    const single = kind === 0 ? [this.#random.pick(ids), this.#random.pick(ids)] : undefined;
    const left = new Set(ids.filter(() => this.#random.chance(0.5)));
    for (const from of ids)
      for (const to of ids) {
        const crosses =
          single === undefined
            ? left.has(from) && !left.has(to)
            : single.includes(from) && single.includes(to);
        if (!crosses) continue;
        this.#cuts.add(`${from}>${to}`);
        if (kind !== 1) this.#cuts.add(`${to}>${from}`);
      }
  }

  /** Cuts one node off from `ids`. */
  isolate(id: NodeId, ids: readonly NodeId[], isolation: Isolation): void {
    for (const other of ids) {
      if (other === id) continue;
      if (isolation !== 'out') this.#cuts.add(`${other}>${id}`);
      if (isolation !== 'in') this.#cuts.add(`${id}>${other}`);
    }
  }

  heal(): void {
    this.#cuts = new Set();
  }

  /** No fault from here on. */
  becomePerfect(): void {
    this.heal();
    this.#options = {
      lossProbability: 0,
      duplicateProbability: 0,
      maxDelayTicks: 1,
      stragglerProbability: 0,
      stragglerTicks: 0,
    };
  }

  #straggle(): number {
    const { stragglerProbability, stragglerTicks } = this.#options;
    return this.#stragglerRandom.chance(stragglerProbability) ? this.#stragglerRandom.int(stragglerTicks) : 0;
  }
}
