/** @module Does what a Ready of a simulated node orders, in the order of raft/types.ts: in one piece, or by a write and an apply thread. */
import { hardStateOf, maySendBeforePersisting } from '../raft/messages.ts';
import type { Entry, Message, NodeId, Ready } from '../raft/types.ts';
import type { Prng } from './prng.ts';
import type { RaftSwarmOptions } from './raft-swarm-options.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

export interface ReadyWorkComponents {
  readonly disk: SimulatedDisk;
  readonly random: Prng;
  readonly send: (message: Message) => void;
  /** This node's storage answers its core. */
  readonly receive: (message: Message) => void;
  readonly apply: (entry: Entry) => void;
  /** The Ready is done; only of a core whose writes are not asynchronous. */
  readonly advance: () => void;
  /** Some entries were applied, and their core knows. */
  readonly applied: () => void;
}

export interface ReadyWorkOptions extends Pick<RaftSwarmOptions, 'asyncStorageWrites' | 'maxWriteTicks'> {
  readonly id: NodeId;
}

/** A MsgStorageApply on its way through the apply thread. */
interface PendingApply {
  readonly request: Message;
  readonly doneAt: number;
}

/** Times are ticks of the world. */
export class ReadyWork {
  readonly #components: ReadyWorkComponents;
  readonly #options: ReadyWorkOptions;
  #applying: PendingApply[] = [];

  constructor(components: ReadyWorkComponents, options: ReadyWorkOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** A synchronous core waits for its one write; an asynchronous one goes on meanwhile. */
  get takesMore(): boolean {
    return this.#options.asyncStorageWrites || this.#components.disk.isIdle;
  }

  begin(ready: Ready, now: number): void {
    if (this.#options.asyncStorageWrites) return this.#dispatch(ready, now);
    const { disk, send } = this.#components;
    for (const message of ready.messages) if (maySendBeforePersisting(message.type)) send(message);
    disk.enqueue(ready, this.#doneAt(now), () => this.#finish(ready));
  }

  /** Says whether there was anything to apply by now. */
  applyNext(now: number): boolean {
    const first = this.#applying[0];
    if (first === undefined || first.doneAt > now) return false;
    this.#applying.shift();
    const { apply, applied } = this.#components;
    for (const entry of first.request.entries) apply(entry);
    this.#respond(first.request.responses ?? []);
    applied();
    return true;
  }

  /** What is under way in this process never ends. */
  crash(): void {
    this.#applying = [];
  }

  #finish(ready: Ready): void {
    const { send, apply, advance, applied } = this.#components;
    for (const message of ready.messages) if (!maySendBeforePersisting(message.type)) send(message);
    for (const entry of ready.committedEntries) apply(entry);
    advance();
    applied();
  }

  /** All but the two storage requests may leave at once. */
  #dispatch(ready: Ready, now: number): void {
    for (const message of ready.messages)
      if (message.type === 'MsgStorageAppend') this.#append(message, now);
      else if (message.type === 'MsgStorageApply')
        this.#applying.push({ request: message, doneAt: this.#doneAt(now) });
      else this.#components.send(message);
  }

  #append(request: Message, now: number): void {
    const { entries, snapshot, responses = [] } = request;
    // Without a response nobody waits for it: then it need not be durable.
    const mustSync = responses.length > 0;
    this.#components.disk.enqueue(
      { hardState: hardStateOf(request), entries, snapshot, mustSync },
      this.#doneAt(now),
      () => this.#respond(responses),
    );
  }

  #respond(responses: readonly Message[]): void {
    const { receive, send } = this.#components;
    for (const response of responses)
      if (response.to === this.#options.id) receive(response);
      else send(response);
  }

  #doneAt(now: number): number {
    return now + this.#components.random.int(this.#options.maxWriteTicks + 1);
  }
}
