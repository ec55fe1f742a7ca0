/** @module `npm run test:etcd-raft -- DIR`: runs every transcript below DIR and prints `N passed, M failed`. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMismatch } from './mismatch-report.ts';
import { runTranscript } from './transcript.ts';

const USAGE = 'Usage: npm run test:etcd-raft -- DIR (a folder with *.txt transcripts, at any depth)';
/** What follows the first disagreements of a transcript mostly follows from them. */
const MAX_SHOWN = 3;

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const files = globSync('**/*.txt', { cwd: directory }).toSorted();
  const failed = files.filter((file) => !passes(join(directory, file)));
  console.log(`${files.length - failed.length} passed, ${failed.length} failed`);
  // No transcript at all is a mistyped folder, not a success.
  process.exitCode = failed.length > 0 || files.length === 0 ? 1 : 0;
}

function passes(file: string): boolean {
  try {
    const mismatches = runTranscript(readFileSync(file, 'utf8'));
    if (mismatches.length === 0) return true;
    console.log(`FAILED ${file}: ${mismatches.length} of its commands print something else`);
    for (const mismatch of mismatches.slice(0, MAX_SHOWN)) console.log(describeMismatch(mismatch));
  } catch (error) {
    console.log(`FAILED ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return false;
}
