/** @module A metadata node's side of the index protocol: checks what peers say, then asks the table. */
import { badBatch, notYourNode, staleGeneration } from './errors.ts';
import type { LocationTable } from './location-table.ts';
import type {
  AnnounceRequest,
  AnnounceResponse,
  IndexStatusResponse,
  LookupRequest,
  LookupResponse,
} from './messages.ts';
import { countPacked, MAX_BATCH_HASHES } from './packed-hashes.ts';

export interface LocationServerComponents {
  readonly table: LocationTable;
}

export interface LocationServerOptions {
  /** Identity of this table's life. The table is lost with the process, so a new one each start. */
  readonly boot: string;
}

/** Synchronous and free of side effects beyond the table; the shell authenticates the caller and moves the bytes. */
export class LocationServer {
  readonly boot: string;
  readonly #table: LocationTable;

  constructor(components: LocationServerComponents, options: LocationServerOptions) {
    this.#table = components.table;
    this.boot = options.boot;
  }

  /**
   * Takes a batch from the member numbered `callerNode`, as its authenticated peer id says. `taken` lower than sent means
   * the rest must be sent again. Throws DHT_BAD_BATCH, DHT_NOT_YOUR_NODE, DHT_STALE_GENERATION, DHT_TOO_MANY_NODES.
   */
  announce(callerNode: number, request: AnnounceRequest): AnnounceResponse {
    if (request.node !== callerNode) throw notYourNode(callerNode, request.node);
    refuseLarge(countPacked(request.added) + countPacked(request.removed));
    const outcome = this.#table.announce(request);
    if (outcome.kind === 'stale-generation')
      throw staleGeneration(request.node, outcome.known, request.generation);
    return { boot: this.boot, taken: outcome.kind === 'taken' ? outcome.taken : 0 };
  }

  /** Throws DHT_BAD_BATCH. */
  lookup(request: LookupRequest): LookupResponse {
    refuseLarge(countPacked(request.hashes));
    return { ...this.#table.lookup(request.hashes), boot: this.boot };
  }

  status(): IndexStatusResponse {
    return { boot: this.boot, records: this.#table.recordCount, shards: this.#table.shardCount };
  }
}

function refuseLarge(count: number): void {
  if (count > MAX_BATCH_HASHES)
    throw badBatch(`${count} hashes exceed the ${MAX_BATCH_HASHES} of one batch`, { count });
}
