/** @module Moves the WAL of a row store into its file beside the writes, where SQLite would do it inside a commit. */
import type { SqliteConnection } from './sqlite.ts';

/** Rows written since the last checkpoint began at which the next one begins: at most so many pages, some 64 MiB. */
const CHECKPOINT_ROWS = 16_384;
/** Rows written since then at which a write waits for a checkpoint, so that the WAL is bounded. */
const MAX_UNCHECKPOINTED_ROWS: number = 4 * CHECKPOINT_ROWS;

/** For connections that all have `wal_autocheckpoint = 0`. A failed checkpoint fails the next write. */
export class WalCheckpointer {
  readonly #connection: SqliteConnection;
  #rows = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly cause: unknown } | undefined;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** Before a write: waits while too much is in the WAL. */
  async admit(): Promise<void> {
    if (this.#rows >= MAX_UNCHECKPOINTED_ROWS) {
      await this.#running;
      // Nothing is written meanwhile, so this one comes to the end, and the WAL begins anew (unless somebody reads it).
      await this.#begin();
    }
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  /** After a commit of so many rows. */
  committed(rows: number): void {
    this.#rows += rows;
    if (this.#rows >= CHECKPOINT_ROWS && this.#running === undefined) void this.#begin();
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#connection.close();
  }

  #begin(): Promise<void> {
    this.#rows = 0;
    const running = this.#connection
      // PASSIVE: as far as it goes without waiting for anybody.
      .all('PRAGMA wal_checkpoint(PASSIVE)')
      .catch((cause: unknown) => {
        this.#failure = { cause };
      })
      .then(() => {
        this.#running = undefined;
      });
    this.#running = running;
    return running;
  }
}
