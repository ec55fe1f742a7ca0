/** @module A terminal of strings, and a client of maps, for tests of the command. */
import { PassThrough, Readable, Writable } from 'node:stream';
import { runCli } from '../../cli/run-cli.ts';
import type { Terminal } from '../../cli/terminal.ts';
import type { Client } from '../../src/client/client.ts';
import type { AttributeChange, PutOptions, PutSource } from '../../src/client/client-options.ts';
import { HoldfastError } from '../../src/common/errors.ts';
import { Stat } from '../../src/namespace/schema.ts';

export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSettings {
  readonly client?: FakeClient;
  readonly stdin?: string | Readable;
  /** Whether a person sits there. */
  readonly isInteractive?: boolean;
  readonly signal?: AbortSignal;
}

/** What a file gets that is closed with the time 0. */
export const NOW_MS = 1_700_000_000_000;

/** Runs the command in this process. */
export async function run(words: readonly string[], settings: RunSettings = {}): Promise<Run> {
  const stdout = collector();
  const stderr = collector();
  const terminal: Terminal = {
    stdin: inputOf(settings.stdin),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: {},
    isInteractive: settings.isInteractive ?? false,
  };
  const connect = (): Promise<Client> =>
    Promise.resolve((settings.client ?? new FakeClient()) as unknown as Client);
  const status = await runCli({ terminal, connect }, words, {
    signal: settings.signal ?? new AbortController().signal,
  });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

function inputOf(stdin: string | Readable | undefined): Readable {
  if (stdin === undefined) return new PassThrough();
  return typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin;
}

/** Files and directories in memory; what the cluster promises is tested elsewhere. */
export class FakeClient {
  readonly directories: Set<string> = new Set(['/']);
  readonly files: Map<string, Uint8Array> = new Map();
  readonly links: Map<string, string> = new Map();
  /** What was said of paths, latest last. */
  readonly attributes: Map<string, AttributeChange> = new Map();
  /** Paths whose put or get fails. */
  readonly failing: Set<string> = new Set();

  async put(path: string, source: PutSource, options: PutOptions = {}): Promise<object> {
    if (this.failing.has(path)) throw refused('NAMESPACE_LEASE_HELD', path);
    if (options.ifAbsent && this.files.has(path)) throw refused('NAMESPACE_EXISTS', path);
    if (this.directories.has(path)) throw refused('NAMESPACE_IS_A_DIRECTORY', path);
    const chunks: Uint8Array[] = [];
    for await (const chunk of source instanceof Uint8Array ? [source] : source) chunks.push(chunk);
    this.files.set(path, Buffer.concat(chunks));
    this.attributes.set(path, {
      mode: options.mode,
      mtimeMs: options.mtimeMs === 0 ? NOW_MS : options.mtimeMs,
    });
    return { stat: await this.stat(path), copies: 1, underReplicatedBlocks: 0 };
  }

  async append(path: string, source: PutSource): Promise<object> {
    const before = this.files.get(path) ?? new Uint8Array();
    const put = await this.put(path, source);
    this.files.set(path, Buffer.concat([before, this.files.get(path) ?? before]));
    return put;
  }

  async symlink(target: string, path: string): Promise<void> {
    if (this.links.has(path) || this.files.has(path)) throw refused('NAMESPACE_EXISTS', path);
    this.links.set(path, target);
  }

  async setAttributes(path: string, change: AttributeChange): Promise<void> {
    await this.stat(path);
    this.attributes.set(path, change);
  }

  async get(path: string): Promise<object> {
    const content = this.files.get(path);
    if (content === undefined) throw refused('NAMESPACE_NOT_FOUND', path);
    const isFailing = this.failing.has(path);
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield (content ?? new Uint8Array()).subarray(0, 2);
      if (isFailing) throw refused('CLIENT_BLOCK_UNAVAILABLE', path);
      yield (content ?? new Uint8Array()).subarray(2);
    }
    return { stat: await this.stat(path), bytes: bytes() };
  }

  async stat(path: string): Promise<Stat> {
    const content = this.files.get(path);
    const { mode, mtimeMs, owner, group } = this.attributes.get(path) ?? {};
    const said = { path, mode, mtimeMs: mtimeMs ?? 0, owner: owner ?? '', group: group ?? '' };
    if (content !== undefined) return Stat.fromPartial({ ...said, kind: 'file', sizeBytes: content.length });
    if (this.directories.has(path)) return Stat.fromPartial({ ...said, kind: 'directory' });
    const linkTarget = this.links.get(path);
    if (linkTarget !== undefined) return Stat.fromPartial({ ...said, kind: 'symlink', linkTarget });
    throw refused('NAMESPACE_NOT_FOUND', path);
  }

  async *walk(path: string): AsyncGenerator<object> {
    const all = [...this.directories, ...this.files.keys(), ...this.links.keys()].toSorted();
    for (const entry of all)
      if (entry === path || entry.startsWith(path === '/' ? '/' : `${path}/`))
        yield { path: entry, stat: await this.stat(entry) };
  }

  async *list(path: string): AsyncGenerator<object> {
    for await (const entry of this.walk(path)) {
      const { path: found, stat } = entry as { path: string; stat: Stat };
      const name = found.slice(path === '/' ? 1 : path.length + 1);
      if (name !== '' && !name.includes('/')) yield { name, stat };
    }
  }

  async mkdir(path: string, { parents = false }: { parents?: boolean } = {}): Promise<void> {
    if (!parents) this.#checkParent(path);
    this.directories.add(path);
  }

  async rmdir(path: string): Promise<void> {
    if (!this.directories.delete(path)) throw refused('NAMESPACE_NOT_FOUND', path);
  }

  async touch(path: string): Promise<void> {
    this.#checkParent(path);
    this.files.set(path, this.files.get(path) ?? new Uint8Array());
  }

  #checkParent(path: string): void {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    if (!this.directories.has(parent)) throw refused('NAMESPACE_NOT_FOUND', path);
  }

  async unlink(path: string): Promise<void> {
    if (this.directories.has(path)) throw refused('NAMESPACE_IS_A_DIRECTORY', path);
    if (!this.files.delete(path)) throw refused('NAMESPACE_NOT_FOUND', path);
  }

  async rename(from: string, to: string, options: { noClobber?: boolean } = {}): Promise<void> {
    if (options.noClobber && this.files.has(to)) throw refused('NAMESPACE_EXISTS', to);
    const link = this.links.get(from);
    if (link !== undefined) {
      this.files.delete(to);
      this.links.set(to, link);
      this.links.delete(from);
      return;
    }
    this.files.set(to, this.files.get(from) ?? new Uint8Array());
    this.files.delete(from);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function refused(code: string, path: string): HoldfastError {
  return new HoldfastError({ code, kind: 'refused', message: `No: ${path}`, facts: { path } });
}

function collector(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer | string, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
