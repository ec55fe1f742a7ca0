/** @module The datanodes that location records name, as small numbers, and how many records name each. */
import { tooManyNodes } from './errors.ts';

/** Sixteen bits name a holder; 0 is an empty place, and the highest a block that nobody holds any more. */
export const MAX_HOLDERS = 65_534;
export const NOBODY = 65_535;

interface Holder {
  readonly node: number;
  alive: boolean;
  /** Records that name it, counted on after its burial until each is cleared away. */
  records: number;
}

/** Burying a holder makes all its records void at once; its number is used again after the last was released. */
export class HolderRegistry {
  readonly #holders: (Holder | undefined)[] = [undefined];
  readonly #free: number[] = [];
  #deaths = 0;
  #liveRecords = 0;
  #deadRecords = 0;

  /** Rises with every burial. */
  get deaths(): number {
    return this.#deaths;
  }

  get liveRecords(): number {
    return this.#liveRecords;
  }

  get deadRecords(): number {
    return this.#deadRecords;
  }

  /** A new living holder's number, in [1, MAX_HOLDERS]. Throws DHT_TOO_MANY_NODES. */
  enlist(node: number): number {
    const id = this.#free.pop() ?? this.#holders.length;
    if (id > MAX_HOLDERS) throw tooManyNodes(MAX_HOLDERS);
    this.#holders[id] = { node, alive: true, records: 0 };
    return id;
  }

  bury(id: number): void {
    const holder = this.#get(id);
    holder.alive = false;
    this.#deaths++;
    this.#liveRecords -= holder.records;
    this.#deadRecords += holder.records;
    if (holder.records === 0) this.#recycle(id);
  }

  nodeOf(id: number): number {
    return this.#get(id).node;
  }

  isAlive(id: number): boolean {
    return this.#get(id).alive;
  }

  recordsOf(id: number): number {
    return this.#get(id).records;
  }

  /** One record more names the living holder `id`. */
  acquire(id: number): void {
    this.#get(id).records++;
    this.#liveRecords++;
  }

  /** `count` records fewer name `id`. */
  release(id: number, count = 1): void {
    const holder = this.#get(id);
    holder.records -= count;
    if (holder.alive) this.#liveRecords -= count;
    else this.#deadRecords -= count;
    if (!holder.alive && holder.records === 0) this.#recycle(id);
  }

  #recycle(id: number): void {
    this.#holders[id] = undefined;
    this.#free.push(id);
  }

  #get(id: number): Holder {
    const holder = this.#holders[id];
    if (holder === undefined)
      throw new Error(`Invariant broken: a location record names unknown holder ${id}`);
    return holder;
  }
}
