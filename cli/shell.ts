/** @module What every command gets from its surroundings: output, the signal of ctrl-C, and a client when it asks. */
import type { Client } from '../src/client/client.ts';
import type { Output } from './output.ts';
import { type ClientFlags, nodeDirectory } from './options.ts';
import type { Terminal } from './terminal.ts';

export interface ShellComponents {
  readonly terminal: Terminal;
  readonly output: Output;
  /** Opens a client on a profile directory; replaced by tests. */
  readonly connect: (profileDir: string, nodeDir: string) => Promise<Client>;
}

export interface ShellOptions {
  /** Aborted by ctrl-C, by SIGTERM, and when the reader of standard output goes away. */
  readonly signal: AbortSignal;
}

export class Shell {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly #connect: (profileDir: string, nodeDir: string) => Promise<Client>;

  constructor(components: ShellComponents, options: ShellOptions) {
    this.terminal = components.terminal;
    this.output = components.output;
    this.#connect = components.connect;
    this.signal = options.signal;
  }

  /** Runs `work` with a client on the profile of `flags`, and closes it afterwards. */
  async withClient(flags: ClientFlags, work: (client: Client) => Promise<void>): Promise<void> {
    await using client = await this.#connect(flags.profile, nodeDirectory(this.terminal));
    await work(client);
  }
}

/** libp2p and all it brings is loaded here, and only by commands that talk to a cluster. */
export async function connectLazily(profileDir: string, nodeDir: string): Promise<Client> {
  const { connect } = await import('../src/client/connect.ts');
  return connect({ profileDir, nodeDir });
}
