/** @module Garbage collection as an administrator sees it: what waits, what was deleted, go on, pause, bring back. */
import { collectionOf } from '../namespace/collection.ts';
import type { Collection } from '../namespace/schema.ts';
import type { CollectionReport } from '../protocol/messages.ts';
import { COLLECTION_REPORT, CONFIGURE_COLLECTION, MEMBERS } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';
import { askEach, membersWithRole, type NodeAnswer } from './cluster-nodes.ts';
import { unexpectedAnswer } from './errors.ts';
import { WorkersClient } from './workers-client.ts';

/** What is absent stays as it is. */
export interface CollectionSettings {
  readonly paused?: boolean;
  /** Shortest length of an era, in milliseconds. */
  readonly eraMs?: number;
  /** From quarantine to deletion, in milliseconds. */
  readonly graceMs?: number;
}

/** Of the datanode's worker. */
const COLLECTOR = 'garbage-collection';
/** A look through everything a datanode has. */
const PREVIEW_TIMEOUT_MS = 120_000;

export class CollectionClient {
  readonly #context: ClientContext;
  readonly #workers: WorkersClient;

  constructor(context: ClientContext) {
    this.#context = context;
    this.#workers = new WorkersClient(context);
  }

  async settings(options: OperationOptions = {}): Promise<Collection> {
    return collectionOf((await this.#context.metadata.ask(MEMBERS, { stale: false }, options)).cluster);
  }

  /** Of each datanode. With `preview` it looks through everything it has now, and changes nothing. */
  async reports(
    options: OperationOptions & { readonly preview?: boolean } = {},
  ): Promise<readonly NodeAnswer<CollectionReport>[]> {
    const { preview = false, ...rest } = options;
    const datanodes = await membersWithRole(this.#context, 'data', rest);
    const limits = preview ? { ...rest, timeoutMs: PREVIEW_TIMEOUT_MS } : rest;
    return askEach(this.#context, datanodes, COLLECTION_REPORT, { preview }, limits);
  }

  /** Every datanode that answers begins a step of its round now; says of each whether it does. */
  async run(options: OperationOptions = {}): Promise<readonly NodeAnswer<unknown>[]> {
    return this.#workers.control('data', COLLECTOR, 'run', options);
  }

  /** Errors: NAMESPACE_INVALID_ARGUMENT. */
  async configure(settings: CollectionSettings, options: OperationOptions = {}): Promise<Collection> {
    const { paused, eraMs = 0, graceMs = 0 } = settings;
    return this.#configure({ undo: false, eraMs, graceMs, ...(paused !== undefined && { paused }) }, options);
  }

  /** Everything in quarantine that may come back does, also where a datanode is away now; nothing more is taken out until resumed. */
  async undo(options: OperationOptions = {}): Promise<Collection> {
    return this.#configure({ undo: true, eraMs: 0, graceMs: 0 }, options);
  }

  /** Opens a recovery, or closes it: only while none is open may anything be collected. */
  async setRecovering(recovering: boolean, options: OperationOptions = {}): Promise<Collection> {
    return this.#configure({ undo: false, eraMs: 0, graceMs: 0, recovering }, options);
  }

  async #configure(
    request: { undo: boolean; eraMs: number; graceMs: number; paused?: boolean; recovering?: boolean },
    options: OperationOptions,
  ): Promise<Collection> {
    const harmlessToRepeat = { ...options, onUnknown: () => {} };
    const answer = await this.#context.metadata.ask(CONFIGURE_COLLECTION, request, harmlessToRepeat);
    if (answer.collection === undefined) throw unexpectedAnswer(CONFIGURE_COLLECTION.name, 'no settings');
    // Datanodes hear of it in their next round, which may be an hour away.
    await this.run(options);
    return answer.collection;
  }
}
