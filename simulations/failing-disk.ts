/** @module A disk that fails when it is told to, around the real database and the real marker. */
import type { LogStanding } from '../src/storage/log-mark.ts';
import type { Marker } from '../src/storage/log-marker.ts';
import type { Sql, SqlDatabase } from '../src/storage/sql-database.ts';
import type { SqlStatement } from '../src/storage/sql-script.ts';
import type { SqlRow, SqlValue } from '../src/storage/sql-value.ts';

/**
 * `before`: nothing of a write reaches the disk. `after`: all of it does, and the disk says that it has failed, as an
 * fsync that reports an error once may. `mark`: the database is well, the marker is not.
 */
export type Fault = 'before' | 'after' | 'mark';

export class FailingDisk {
  #fault: Fault | undefined;
  #code = 'EIO';

  fail(fault: Fault, code: string): void {
    this.#fault = fault;
    this.#code = code;
  }

  /** As if nothing had been. */
  heal(): void {
    this.#fault = undefined;
  }

  check(...faults: readonly Fault[]): void {
    if (this.#fault !== undefined && faults.includes(this.#fault))
      throw Object.assign(new Error(`${this.#code}: the failing disk`), { code: this.#code });
  }
}

export class FailingDatabase implements SqlDatabase {
  readonly #real: SqlDatabase;
  readonly #disk: FailingDisk;

  constructor(real: SqlDatabase, disk: FailingDisk) {
    this.#real = real;
    this.#disk = disk;
  }

  get path(): string {
    return this.#real.path;
  }

  get transactionCount(): number {
    return this.#real.transactionCount;
  }

  all(text: string, values?: readonly SqlValue[]): Promise<SqlRow[]> {
    return this.#real.all(text, values);
  }

  run(text: string, values?: readonly SqlValue[]): Promise<void> {
    return this.#guarded(() => this.#real.run(text, values));
  }

  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#guarded(() => this.#real.transaction(body));
  }

  writeTogether(statements: readonly SqlStatement[]): Promise<void> {
    return this.#guarded(() => this.#real.writeTogether(statements));
  }

  close(): Promise<void> {
    return this.#real.close();
  }

  async #guarded<T>(write: () => Promise<T>): Promise<T> {
    this.#disk.check('before');
    const result = await write();
    this.#disk.check('after');
    return result;
  }
}

export class FailingMarker implements Marker {
  readonly #real: Marker;
  readonly #disk: FailingDisk;

  constructor(real: Marker, disk: FailingDisk) {
    this.#real = real;
    this.#disk = disk;
  }

  get boot(): number {
    return this.#real.boot;
  }

  get isCopy(): boolean {
    return this.#real.isCopy;
  }

  async mark(standing: LogStanding): Promise<void> {
    this.#disk.check('mark');
    await this.#real.mark(standing);
  }

  async beginBoot(standing: LogStanding): Promise<number> {
    this.#disk.check('mark');
    return this.#real.beginBoot(standing);
  }

  async adopt(): Promise<void> {
    this.#disk.check('mark');
    await this.#real.adopt();
  }

  close(): Promise<void> {
    return this.#real.close();
  }
}
