#!/usr/bin/env node
/** @module The installed command: plain JavaScript, so that even an old Node gets as far as a new one. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const OLDEST = [22, 18]; // The first that runs TypeScript without a flag.
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'cli', 'main.ts');
const bundle = join(root, 'dist', 'bundle', 'main.js');
const script = existsSync(source) && !isCurrent(bundle) ? source : bundle;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) {
  // Compiled code is kept between runs (in the temporary directory): a command starts in a third of the time.
  module.enableCompileCache();
  await import(pathToFileURL(script).href);
} else {
  const node = findNode();
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) =>
    signal === null ? process.exit(code) : process.kill(process.pid, 'SIGKILL'),
  );
}

/** Whether nothing in the clone changed after the bundle was made from it. */
function isCurrent(file) {
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return (
    made > 0 &&
    ['cli', 'dht', 'raft', 'src', 'package-lock.json'].every((name) => isOlder(join(root, name), made))
  );
}

function isOlder(path, thanMs) {
  const found = statSync(path);
  if (found.mtimeMs >= thanMs) return false;
  // Joined by hand: some thousand times, that is half of what this costs.
  return !found.isDirectory() || readdirSync(path).every((name) => isOlder(`${path}/${name}`, thanMs));
}

function findNode() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
  } catch {
    console.error(
      `holdfast needs Node ${OLDEST.join('.')} or newer and found ${process.version}. Install the package "node" beside it.`,
    );
    process.exit(1);
  }
}
