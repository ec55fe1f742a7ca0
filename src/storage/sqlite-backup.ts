/** @module SQLite's online backup: all pages of a database into a new file, some at a time, on the thread pool. */

export interface BackupOptions {
  /** Awaited after each step, with the bytes it copied: whoever paces the copy lets it wait here. */
  readonly pace?: (bytes: number) => Promise<void>;
  /** Looked at between two steps. */
  readonly signal?: AbortSignal;
}

type Done = (error: Error | null) => void;

/** What the package sqlite3 gives and does not declare. */
interface Backup {
  readonly completed: boolean;
  step(pages: number, done: Done): void;
  finish(done: () => void): void;
}
export interface BackupSource {
  backup(target: string, done: Done): Backup;
}

/** Pages of one step: 1 MiB, some milliseconds of one thread. */
const STEP_PAGES = 256;

/**
 * Copies what `source` sees: if it is inside a read transaction, that one's state, whatever others write meanwhile; else
 * a change made by others starts the copy anew. The file at `target` is not fsynced. Rejects with SQLite's own errors.
 */
export async function backUp(
  source: BackupSource,
  target: string,
  pageSizeBytes: number,
  { pace, signal }: BackupOptions,
): Promise<void> {
  const backup = await new Promise<Backup>((resolve, reject) => {
    const started: Backup = source.backup(target, (error) => (error ? reject(error) : resolve(started)));
  });
  try {
    while (!backup.completed) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        backup.step(STEP_PAGES, (error) => (error ? reject(error) : resolve()));
      });
      await pace?.(STEP_PAGES * pageSizeBytes);
    }
  } finally {
    await new Promise<void>((resolve) => {
      backup.finish(() => resolve());
    });
  }
}
