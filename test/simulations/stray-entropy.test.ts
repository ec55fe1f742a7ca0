/** @module Everything that runs in the simulator gets its time, its chance and its disk from the world, and from nowhere else. */
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../..', import.meta.url);
const ENTRIES = ['simulations/cluster/run-scenario.ts', 'simulations/raft-cluster.ts'];

/** What two runs of one seed could differ by. */
const STRAY: readonly RegExp[] = [
  /\bDate\.now\(/,
  /\bnew Date\(\)/,
  /\bMath\.random\(/,
  /(?<![.\w])set(Timeout|Interval|Immediate)\(/,
  /\bperformance\.now\(/,
  /\bprocess\.(hrtime|uptime|memoryUsage|pid)\b/,
  /\bAbortSignal\.timeout\(/,
  /\brandom(Bytes|UUID|Int|Fill)\(/,
  /\bgetRandomValues\(/,
  /\bnew (WeakRef|FinalizationRegistry)\(/,
];
/** Node's modules that reach the machine. */
const OUTSIDE = /^(node:)?(fs|net|dgram|dns|http|https|tls|os|timers|worker_threads|child_process|cluster)\b/;

/** Where each may be, and why no run sees it; nor what is loaded from there. */
const HOMES: Readonly<Record<string, string>> = {
  'simulations/world/world.ts':
    'an immediate is how the world waits until all promises of an event are settled',
  'src/common/clock.ts': 'defines the clock of real processes beside the interface',
  'src/storage/files.ts': 'defines the files of real processes beside the interface',
  'src/storage/durable-file.ts': 'belongs to them',
  'src/client/profile.ts': 'reads the profile of a user of this machine; simulated clients are given theirs',
  'src/client/connect.ts': 'asks for the name of this machine where none is given',
};

describe('what runs in the simulator', () => {
  const files = closureOf(ENTRIES);

  it('is the code that ships', () => {
    for (const room of ['raft/', 'dht/', 'src/namespace/', 'src/metadata/', 'src/datanode/', 'src/client/'])
      expect(
        [...files.keys()].some((file) => file.startsWith(room)),
        room,
      ).toBe(true);
  });

  it('has no clock, timer or chance of its own', () => {
    const strays = [...files]
      .filter(([file]) => !(file in HOMES))
      .flatMap(([file, code]) =>
        STRAY.filter((pattern) => pattern.test(code)).map(({ source }) => `${file}: ${source}`),
      );
    expect(strays).toEqual([]);
  });

  it('reaches no real disk, network or machine', () => {
    const strays = [...files]
      .filter(([file]) => !(file in HOMES))
      .flatMap(([file, code]) =>
        importsOf(code)
          .filter((target) => OUTSIDE.test(target))
          .map((target) => `${file} -> ${target}`),
      );
    expect(strays).toEqual([]);
  });

  it('leaves nothing that the runtime keeps when a run is over', () => {
    // What is made of others stays, with all that listens to it, until it fires: in a run that was cut short it never does.
    const kept = [...files].filter(([, code]) => /\bAbortSignal\.any\(/.test(code)).map(([file]) => file);
    expect(kept).toEqual([]);
  });

  it('needs each home that is left open', () => {
    const needed = Object.keys(HOMES).filter((file) => {
      const code = files.get(file) ?? '';
      return STRAY.some((pattern) => pattern.test(code)) || importsOf(code).some((one) => OUTSIDE.test(one));
    });
    expect(needed).toEqual(Object.keys(HOMES));
  });
});

/** Every file of ours that is loaded with `entries`, without its comments, by its path in the repository. */
function closureOf(entries: readonly string[]): Map<string, string> {
  const files = new Map<string, string>();
  const waiting = entries.map((entry) => new URL(entry, ROOT));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const name = relative(fileURLToPath(ROOT), fileURLToPath(file)).split(sep).join('/');
    if (files.has(name)) continue;
    const code = withoutComments(readFileSync(file, 'utf8'));
    files.set(name, code);
    if (name in HOMES) continue;
    for (const target of importsOf(code)) if (target.startsWith('.')) waiting.push(new URL(target, file));
  }
  return files;
}

/** What a file loads at once; types are erased, and what is imported later is what simulated processes bring themselves. */
function importsOf(code: string): string[] {
  const found = code.matchAll(/^(?:import|export) (type )?[^;]*?\bfrom '([^']+)'|^import '([^']+)'/gm);
  return [...found].filter(([, isType]) => isType === undefined).map((match) => match[2] ?? match[3] ?? '');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
