/** @module Where this package lies: sources, built files and the bundle find their neighbours from here. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly name: string;
  readonly version: string;
}

const PACKAGE_NAME = 'holdfast';

/** The nearest directory above this file whose package.json is ours, and that package.json. */
export const PACKAGE: { readonly root: string; readonly manifest: Manifest } = findPackage();

function findPackage(): { root: string; manifest: Manifest } {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let root = start; ; root = dirname(root)) {
    const file = join(root, 'package.json');
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
      if (manifest.name === PACKAGE_NAME) return { root, manifest };
    }
    if (root === dirname(root)) return { root: start, manifest: { name: PACKAGE_NAME, version: 'unknown' } };
  }
}
