/** @module The folder of scripts that install, start, load and stop other systems on this machine: `--peers DIR`. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { usageOf } from './process-usage.ts';

const run = promisify(execFile);

/** How long a script may take, in milliseconds: the first start installs packages. */
const SCRIPT_TIMEOUT_MS = 600_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export class PeerScripts {
  readonly #folder: string;
  readonly #home: string = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));

  /** What the scripts start keeps its data in a temporary directory. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where `peer` is mounted once `up-PEER.sh` has run. */
  mount(peer: string): string {
    return join(this.#home, 'mnt', peer);
  }

  /** Runs `script`, a shell script or a program for this Node, and resolves with the JSON lines it printed. */
  async run<Line>(
    script: string,
    words: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Line[]> {
    const path = join(this.#folder, script);
    const [command, given] = path.endsWith('.mjs')
      ? [process.execPath, [path, ...words]]
      : [path, [...words]];
    await mkdir(this.#pids, { recursive: true });
    const { stdout } = await run(command, given, {
      env: { ...process.env, PEERS_HOME: this.#home, PIDS: this.#pids, ...env },
      timeout: SCRIPT_TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Line);
  }

  /** Of the largest process of `peer` that runs, in MiB. */
  peakRssMib(peer: string): number {
    const files = readdirSync(this.#pids).filter((name) => name.startsWith(`${peer}-`));
    const pids = files.map((name) => Number(readFileSync(join(this.#pids, name), 'utf8')));
    return Math.max(0, ...pids.map((pid) => usageOf(pid)?.peakRssMib ?? 0));
  }

  /** After every peer was taken down. */
  async remove(): Promise<void> {
    await rm(this.#home, { recursive: true, force: true });
  }

  get #pids(): string {
    return join(this.#home, 'pids');
  }
}
