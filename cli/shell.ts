/** @module What every command gets from its surroundings: output, the signal of ctrl-C, and a client when it asks. */
import type { Client } from '../src/client/client.ts';
import type { CacheSettings } from '../src/client/cache/client-cache.ts';
import { type CacheFlags, cacheOf } from './cache-options.ts';
import type { Output } from './output.ts';
import { type ClientFlags, nodeDirectory } from './options.ts';
import type { Terminal } from './terminal.ts';

export interface ShellComponents {
  readonly terminal: Terminal;
  readonly output: Output;
  /** Opens a client on a profile directory; replaced by tests. */
  readonly connect: Connect;
}

export type Connect = (
  profileDir: string,
  nodeDir: string,
  cache: CacheSettings | undefined,
) => Promise<Client>;

export interface ShellOptions {
  /** Aborted by ctrl-C, by SIGTERM, and when the reader of standard output goes away. */
  readonly signal: AbortSignal;
}

export class Shell {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly #connect: Connect;

  constructor(components: ShellComponents, options: ShellOptions) {
    this.terminal = components.terminal;
    this.output = components.output;
    this.#connect = components.connect;
    this.signal = options.signal;
  }

  /** Runs `work` with a client on the profile of `flags`, and closes it afterwards. What it is told is as of now. */
  async withClient(flags: ClientFlags, work: (client: Client) => Promise<void>): Promise<void> {
    // Also without reading from the cache: what is changed is to be forgotten there.
    const cache = cacheOf({}, this.terminal);
    await this.#with(flags, cache && { ...cache, ttlMs: 0 }, work);
  }

  /** The same for who reads files: from the cache that the flags or the surroundings name, as old as they allow. */
  async withReader(flags: ClientFlags & CacheFlags, work: (client: Client) => Promise<void>): Promise<void> {
    await this.#with(flags, cacheOf(flags, this.terminal), work);
  }

  async #with(
    { profile }: ClientFlags,
    settings: CacheSettings | undefined,
    work: (client: Client) => Promise<void>,
  ): Promise<void> {
    const onTrouble = (error: Error): void => this.output.warn(error.message);
    const cache = settings && { ...settings, onTrouble };
    await using client = await this.#connect(profile, nodeDirectory(this.terminal), cache);
    await work(client);
  }
}

/** libp2p and all it brings is loaded here, and only by commands that talk to a cluster. */
export async function connectLazily(
  profileDir: string,
  nodeDir: string,
  cache: CacheSettings | undefined,
): Promise<Client> {
  const { connect } = await import('../src/client/connect.ts');
  return connect({ profileDir, nodeDir, ...(cache && { cache }) });
}
