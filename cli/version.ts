/** @module Which release this is. */
import { readFileSync } from 'node:fs';

export const VERSION: string = readVersion();

/** The package's own: beside cli/ in a clone, two levels up from dist/cli/ when installed. */
function readVersion(): string {
  for (const candidate of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(candidate, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (name === 'holdfast' && version !== undefined) return version;
    } catch {
      // Not here: the other layout.
    }
  }
  return 'unknown';
}
