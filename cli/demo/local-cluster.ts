/** @module A whole cluster of real processes on loopback, for the demo and for end-to-end tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '../../src/index.ts';
import { DEFAULT_VOTERS } from '../../src/namespace/limits.ts';
import { type CommandResult, runCommand } from './command-run.ts';
import { NodeProcess, type Surroundings } from './node-process.ts';

export interface LocalClusterOptions {
  readonly metadataNodes: number;
  readonly dataNodes: number;
  readonly replication?: number;
  /** Further words for every node; ['--log-level', 'warn'] when absent. */
  readonly nodeArguments?: readonly string[];
  /** Prepares the place of a node before it is made; on loopback, with all the others, when absent. */
  readonly place?: (name: string, directory: string) => Promise<NodePlace>;
  /** Called when the last process has ended, before the directory is removed. */
  readonly vacate?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/** A machine of its own, more or less. */
export interface NodePlace extends Surroundings {
  /** Multiaddr. */
  readonly listen: string;
}

const LOOPBACK: NodePlace = { listen: '/ip4/127.0.0.1/tcp/0' };
const POLL_MS = 100;
/** All voting and all datanodes alive: if that takes longer, something is wrong. */
const SETTLE_TIMEOUT_MS = 60_000;

/** `m1` … are metadata nodes, `d1` … datanodes, each with a host name of its own, so that copies spread. */
export class LocalCluster {
  /** Removed by stop(). */
  readonly directory: string;
  readonly profileDir: string;
  readonly #options: LocalClusterOptions;
  readonly #nodes = new Map<string, NodeProcess>();
  readonly #places = new Map<string, NodePlace>();
  #token = '';
  readonly #starting = new Set<Promise<NodeProcess>>();
  readonly #stopping = new AbortController();

  private constructor(directory: string, options: LocalClusterOptions) {
    this.directory = directory;
    this.profileDir = join(directory, 'client');
    this.#options = options;
  }

  /** Starts everything and waits until all is alive. Cleans up after itself when that fails. */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const cluster = new LocalCluster(await mkdtemp(join(tmpdir(), 'holdfast-')), options);
    try {
      await cluster.#found();
      const others = [...names('m', options.metadataNodes).slice(1), ...names('d', options.dataNodes)];
      await Promise.all(others.map((name) => cluster.join(name)));
      options.signal?.throwIfAborted();
      await cluster.settled();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** A multi-use token for every role, good for a day. */
  get token(): string {
    return this.#token;
  }

  get nodes(): readonly NodeProcess[] {
    return [...this.#nodes.values()];
  }

  node(name: string): NodeProcess {
    const found = this.#nodes.get(name);
    if (found === undefined) throw new RangeError(`There is no node ${name} in the cluster.`);
    return found;
  }

  /** The running node with a member number. */
  byNumber(number: number): NodeProcess | undefined {
    return this.nodes.find((node) => node.ready.number === number && node.isRunning);
  }

  /** A further node: `m…` a metadata node, `d…` a datanode. */
  async join(name: string, token: string = this.#token): Promise<NodeProcess> {
    const role = name.startsWith('m') ? 'meta' : 'data';
    const words = ['cluster', 'join', token, '--role', role, '--start'];
    return this.#start(name, async () => [...words, ...(await this.#entryWords(name))]);
  }

  /** Starts a node whose directory exists: after kill(), or the first time. */
  async startNode(name: string, more: readonly string[] = []): Promise<NodeProcess> {
    return this.#start(name, async () => ['node', 'start', '--dir', this.nodeDirectory(name), ...more]);
  }

  nodeDirectory(name: string): string {
    return join(this.directory, name);
  }

  /** A client with the profile that `cluster init` left. */
  connect(): Promise<Client> {
    return connect({ profileDir: this.profileDir });
  }

  /** Runs this command as a process of its own, on this cluster's profile. Never throws for a status. */
  run(
    words: readonly string[],
    input?: string | Uint8Array,
    { through = [], env: own = {} }: Surroundings = {},
  ): Promise<CommandResult> {
    const { signal } = this.#options;
    const env = { ...own, HOLDFAST_PROFILE: this.profileDir };
    return runCommand(words, {
      through,
      env,
      ...(input !== undefined && { input }),
      ...(signal && { signal }),
    });
  }

  /**
   * Waits until every running node is alive and as many metadata nodes vote as may, as the cluster itself sees it. What it saw
   * last is the message of the error after a minute.
   */
  async settled(): Promise<void> {
    await using client = await this.connect();
    const late = AbortSignal.timeout(SETTLE_TIMEOUT_MS);
    const signal = anySignal(late, this.#options.signal);
    const running = this.nodes.filter((node) => node.isRunning).map((node) => node.ready.number);
    let seen = 'no metadata node answered';
    for (;;) {
      this.#options.signal?.throwIfAborted();
      if (late.aborted)
        throw new Error(`The cluster did not settle in ${SETTLE_TIMEOUT_MS / 1000} s: ${seen}`);
      const status = await client.status({ signal }).catch(() => undefined);
      const metadata = status?.metadataNodes.filter(
        ({ raftRole, reachable }) => reachable && /leader|voter|learner/.test(raftRole),
      );
      const voters = metadata?.filter(({ raftRole }) => raftRole !== 'learner').length ?? 0;
      const alive = status?.dataNodes.filter(({ liveness }) => liveness === 'alive');
      const up = new Set([...(metadata ?? []), ...(alive ?? [])].map(({ member }) => member?.number));
      const areEnough = voters >= Math.min(DEFAULT_VOTERS, metadata?.length ?? 0);
      if (status?.leader !== 0 && areEnough && running.every((number) => up.has(number))) return;
      const down = running.filter((number) => !up.has(number));
      if (status)
        seen = `leader ${status.leader}, ${voters} vote, of nodes ${running.join()} not up: ${down.join()}`;
      await pause(POLL_MS, signal);
    }
  }

  /** Member number of the leader; 0 when none is known. */
  async leader(): Promise<number> {
    await using client = await this.connect();
    return (await client.status({ ...(this.#options.signal && { signal: this.#options.signal }) })).leader;
  }

  /** Kills what still runs and removes the directory. Never throws for a process that is gone already. */
  async stop(): Promise<void> {
    // A node that is just starting would write into the directory while it is being removed.
    this.#stopping.abort();
    await Promise.allSettled(this.#starting);
    await Promise.all(this.nodes.map((node) => node.kill('SIGKILL')));
    await this.#options.vacate?.();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(name: string, words: () => Promise<readonly string[]>): Promise<NodeProcess> {
    // With its place, which stop() has to wait for, too: a disk that is mounted later would be left behind.
    const starting = this.#prepareAndStart(name, words);
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #prepareAndStart(name: string, words: () => Promise<readonly string[]>): Promise<NodeProcess> {
    const { nodeArguments = ['--log-level', 'warn'] } = this.#options;
    this.#stopping.signal.throwIfAborted();
    const surroundings = await this.#placeOf(name);
    const node = await NodeProcess.start({
      name,
      directory: this.nodeDirectory(name),
      words: [...(await words()), ...nodeArguments],
      surroundings,
      signal: anySignal(this.#stopping.signal, this.#options.signal),
    });
    this.#nodes.set(name, node);
    return node;
  }

  async #found(): Promise<void> {
    const { replication = 3 } = this.#options;
    const words = ['cluster', 'init', '--json', '--role', 'meta', '--replication', String(replication)];
    const place = await this.#placeOf('m1');
    const answer = await this.#mustRun([...words, ...(await this.#entryWords('m1'))], place);
    this.#token = (JSON.parse(answer) as { token: string }).token;
    await this.startNode('m1');
  }

  async #placeOf(name: string): Promise<NodePlace> {
    const place =
      this.#places.get(name) ?? (await this.#options.place?.(name, this.nodeDirectory(name))) ?? LOOPBACK;
    this.#places.set(name, place);
    return place;
  }

  async #entryWords(name: string): Promise<readonly string[]> {
    const { profileDir } = this;
    const { listen } = await this.#placeOf(name);
    return [
      '--dir',
      this.nodeDirectory(name),
      '--profile',
      profileDir,
      '--name',
      name,
      '--host',
      `host-${name}`,
      '--listen',
      listen,
    ];
  }

  async #mustRun(words: readonly string[], surroundings: Surroundings): Promise<string> {
    const { status, stdout, stderr } = await this.run(words, undefined, surroundings);
    this.#options.signal?.throwIfAborted();
    if (status !== 0)
      throw new Error(`holdfast ${words.slice(0, 2).join(' ')} ended with ${status}: ${stderr}`);
    return stdout;
  }
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
