/** @module The rules of the source tree: arrows point down, what the simulator runs stays deterministic, READMEs name what is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Each folder and the folders it may import from (itself is always allowed). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  raft: [],
  dht: [],
  'src/common': [],
  'src/network': ['src/common'],
  'src/storage': ['src/common', 'raft'],
  'src/namespace': ['src/common', 'src/storage'],
  'src/protocol': ['src/common', 'src/network', 'src/namespace', 'dht'],
  'src/metadata': [
    'src/common',
    'src/network',
    'src/storage',
    'src/namespace',
    'src/protocol',
    'raft',
    'dht',
  ],
  'src/datanode': ['src/common', 'src/network', 'src/storage', 'src/namespace', 'src/protocol', 'dht'],
  'src/client': ['src/common', 'src/network', 'src/storage', 'src/namespace', 'src/protocol'],
  'src/node': [
    'src/common',
    'src/network',
    'src/storage',
    'src/namespace',
    'src/protocol',
    'src/metadata',
    'src/datanode',
    'src/client',
    'dht',
    'raft',
  ],
  'src/index.ts': ['src/common', 'src/client'],
  cli: ['src'],
  simulations: ['src', 'raft', 'dht'],
};

/** Rooms that a simulator runs: no clock, timer or randomness of their own. */
const DETERMINISTIC = [
  'raft',
  'dht',
  'src/namespace',
  'src/metadata',
  'src/datanode',
  'src/client',
  'simulations/cluster',
  'simulations/workloads',
  'simulations/world',
];
const STRAY = [
  /\bDate\.now\(/,
  /\bnew Date\(\)/,
  /\bMath\.random\(/,
  /(?<![.\w])setTimeout\(/,
  /(?<![.\w])setInterval\(/,
  /\bperformance\.now\(/,
];

/** The only file that may import each heavy package. */
const HOME_OF: Readonly<Record<string, RegExp>> = {
  sqlite3: /^src\/storage\/sqlite\.ts$/,
  pino: /^src\/common\/logger\.ts$/,
  '@node-rs/crc32': /^src\/common\/hashing\.ts$/,
  '@libp2p/kad-dht': /^dht\/kademlia-service\.ts$/,
  '@chainsafe/libp2p-noise': /^src\/network\//,
  '@libp2p/mdns': /^src\/network\/local-discovery\.ts$/,
  'cli-progress': /^cli\/progress-bar\.ts$/,
  'prom-client': /^src\/node\/(metrics-server|node-gauges)\.ts$/,
  commander: /^cli\//,
};

describe('the tree of sources', () => {
  const files = Object.keys(MAY_IMPORT).flatMap(sourcesOf);

  it('has files in every folder', () => {
    for (const folder of Object.keys(MAY_IMPORT)) expect(sourcesOf(folder), folder).not.toEqual([]);
  });

  it('has no source outside its folders', () => {
    expect(sourcesOf('src').filter((file) => folderOf(file) === undefined)).toEqual([]);
  });

  it('lets arrows point down only', () => {
    const wrong = files.flatMap((file) =>
      neighboursOf(file)
        .filter((target) => !isAllowed(file, target))
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has no circle of files', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      const since = path.indexOf(file);
      if (since >= 0) circles.push([...path.slice(since), file].join(' -> '));
      if (since >= 0 || done.has(file)) return;
      for (const target of neighboursOf(file)) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('keeps Node and every package out of the consensus core', () => {
    const outside = sourcesOf('raft').flatMap((file) =>
      importsOf(file)
        .filter((target) => !target.startsWith('.'))
        .map((target) => `${file} -> ${target}`),
    );
    expect(outside).toEqual([]);
  });

  it('gives each heavy package one home', () => {
    const strays = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => HOME_OF[target] !== undefined && !HOME_OF[target].test(file))
        .map((target) => `${file} -> ${target}`),
    );
    expect(strays).toEqual([]);
  });

  it('keeps clocks, timers and randomness out of what the simulator runs', () => {
    const strays = DETERMINISTIC.flatMap(sourcesOf).flatMap((file) => {
      const code = withoutComments(read(file));
      return STRAY.filter((pattern) => pattern.test(code)).map((pattern) => `${file}: ${pattern.source}`);
    });
    expect(strays).toEqual([]);
  });

  it('keeps real files out of what the simulator runs', () => {
    const folders = ['raft', 'dht', 'src/namespace', 'src/metadata'];
    const strays = folders
      .flatMap(sourcesOf)
      .filter((file) =>
        importsOf(file).some((target) => /^(node:)?(fs|timers|os|worker_threads)\b/.test(target)),
      );
    expect(strays).toEqual([]);
  });

  it('opens every file with a module sentence', () => {
    const silent = files.filter(
      (file) => !isGenerated(file) && !/^(#!.*\n)?\/\*\*\s+(\* )?@module /.test(read(file)),
    );
    expect(silent).toEqual([]);
  });

  it('names in READMEs and comments only files that are there', () => {
    const tree = ['raft', 'dht', 'src', 'cli', 'simulations', 'test'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(
        (path) => `/${folder}/${path.split(sep).join('/')}`,
      ),
    );
    const suffixes = new Set(tree.flatMap(endsOf));
    const texts = ['/README.md', ...tree.filter((path) => /\/README\.md$|\.ts$/.test(path))];
    const named = texts.flatMap((path) => {
      const text = read(path);
      const names = path.endsWith('.md') ? filesNamedIn(text) : filesNamedIn(commentsOf(text));
      return names.map((name) => ({ path, name }));
    });
    expect(named.length).toBeGreaterThan(600);
    expect(named.filter(({ name }) => !suffixes.has(name))).toEqual([]);
  });

  it('links in its README only to what is there', () => {
    const text = read('README.md');
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(20);
    expect(
      links.filter((link) =>
        link.startsWith('#') ? !headings.includes(link.slice(1)) : !existsSync(join(ROOT, link)),
      ),
    ).toEqual([]);
  });
});

/** As those who show Markdown make one of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

/** Sources and READMEs that a text names, with or without the folders they are in. Parts of addresses and patterns do not count. */
function filesNamedIn(text: string): string[] {
  const named = /(?<![\w./<*'-])((?:[\w.-]+\/)*[\w-]+\.(?:ts|md|proto))\b(?![\w(])/g;
  return [...text.matchAll(named)].map(([, name]) => name ?? '').filter((name) => name !== 'README.md');
}

/** 'a/b/c.ts', 'b/c.ts', 'c.ts'. */
function endsOf(path: string): string[] {
  const parts = path.split('/').slice(1);
  return parts.map((_, at) => parts.slice(at).join('/'));
}

function commentsOf(text: string): string {
  return (text.match(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g) ?? []).join('\n');
}

function isAllowed(file: string, target: string): boolean {
  const from = folderOf(file);
  const to = folderOf(target);
  if (from === undefined || to === undefined) return false;
  return (
    from === to || (MAY_IMPORT[from] ?? []).some((folder) => to === folder || to.startsWith(`${folder}/`))
  );
}

function folderOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT).find((folder) => file === folder || file.startsWith(`${folder}/`));
}

function sourcesOf(folder: string): string[] {
  if (folder.endsWith('.ts')) return [folder];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

/** The files of ours that `file` imports. */
function neighboursOf(file: string): string[] {
  return importsOf(file)
    .filter((target) => target.startsWith('.'))
    .map((target) =>
      normalize(join(dirname(file), target))
        .split(sep)
        .join('/'),
    );
}

/** What `file` imports, static and dynamic, types too. */
function importsOf(file: string): string[] {
  return [
    ...withoutComments(read(file)).matchAll(
      /^(?:import|export)\b[^;]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '');
}

function isGenerated(file: string): boolean {
  return file.endsWith('/messages.ts') || file.endsWith('/schema.ts');
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
