/** @module What SQLite's own errors say. */

/** True for an error of SQLite, if `code` is given one that carries it, e.g. 'SQLITE_FULL'. */
export function isSqliteError(error: unknown, code?: string): boolean {
  if (!(error instanceof Error && 'code' in error)) return false;
  return code === undefined ? String(error.code).startsWith('SQLITE_') : error.code === code;
}

/** True when SQLite says that the file is not, or not all, a database any more. */
export function isCorruption(error: unknown): boolean {
  return isSqliteError(error, 'SQLITE_CORRUPT') || isSqliteError(error, 'SQLITE_NOTADB');
}
