/** @module The codecs in the repository are those of the schemas beside them: `npm run proto` changes nothing. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { PACKAGE } from '../../cli/package-root.ts';

const CODECS = ['dht/messages.ts', 'src/protocol/messages.ts', 'src/namespace/schema.ts'];

it('generates from the schemas just what is there', async () => {
  const fresh = await mkdtemp(join(tmpdir(), 'holdfast-proto-'));
  try {
    const generate = join(PACKAGE.root, 'src', 'protocol', 'generate.ts');
    await promisify(execFile)(process.execPath, [generate, fresh]);
    for (const path of CODECS) {
      const [made, kept] = await Promise.all([fresh, PACKAGE.root].map((root) => readFile(join(root, path))));
      expect(made && kept && Buffer.compare(made, kept), `${path}: run npm run proto`).toBe(0);
    }
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
});
