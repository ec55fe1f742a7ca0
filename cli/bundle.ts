/**
 * @module `npm run build`, second half: the command and all it imports as a few files in dist/bundle.
 *
 * A command that lists a directory loads nine hundred modules, and finding them takes longer than running them: from the
 * bundle it starts in half the time. cli/bin.js uses it while nothing it was made from has changed since.
 */
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { PACKAGE } from './package-root.ts';

/** They load native code or worker threads from beside their own files. */
const NOT_BUNDLED = ['sqlite3', '@node-rs/crc32', 'pino'];

/**
 * Writes dist/bundle/main.js and its chunks, dated to when the sources were read, and returns the path of the first. Chunks
 * of an earlier bundle stay: a process that runs from it may still load them.
 */
export async function bundle(): Promise<string> {
  const directory = join(PACKAGE.root, 'dist', 'bundle');
  const main = join(directory, 'main.js');
  const readAt = new Date();
  const build = await rolldown({
    input: join(PACKAGE.root, 'cli', 'main.ts'),
    platform: 'node',
    external: NOT_BUNDLED,
  });
  await build.write({ dir: directory, format: 'esm', chunkFileNames: '[name]-[hash].js' });
  await build.close();
  await utimes(main, readAt, readAt);
  return main;
}

if (import.meta.main) await bundle();
