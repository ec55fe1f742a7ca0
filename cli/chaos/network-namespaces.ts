/**
 * @module A network of machines in one: a namespace for each node, joined by a bridge to which this process belongs too. Links
 * are cut, made one-way and slowed down between real sockets.
 */
import { readdir } from 'node:fs/promises';
import { system, works } from './system-command.ts';

interface Host {
  readonly namespace: string;
  /** Its end of the cable at the bridge; the other is eth0. */
  readonly cable: string;
  readonly address: string;
}

export interface HostPlace {
  readonly address: string;
  /** Words that start a command there. */
  readonly through: readonly string[];
}

/** As short as names of interfaces must be (15 characters). */
const PREFIX = 'hfc';
const NAMESPACES = '/run/netns';
const MOST_HOSTS = 250;
/** Of a slow link: a rate, and how long a packet may wait before it is dropped. */
const SLOW_LINK: readonly string[] = ['rate', '400kbit', 'burst', '16kb', 'latency', '600ms'];

export class NetworkNamespaces {
  readonly canSlow: boolean;
  readonly #id: string;
  readonly #net: string;
  readonly #hosts = new Map<string, Host>();

  private constructor(canSlow: boolean) {
    this.#id = `${PREFIX}${process.pid}`;
    // Of the range for tests of networks (RFC 2544), one network for each run.
    this.#net = `198.${18 + (process.pid % 2)}.${(process.pid >> 1) % 256}`;
    this.canSlow = canSlow;
  }

  /** Undefined where there is no permission, or no `ip`. */
  static async open(): Promise<NetworkNamespaces | undefined> {
    await removeLeftBehind();
    const probe = `${PREFIX}${process.pid}p`;
    if (!(await works('ip', 'netns', 'add', probe))) return undefined;
    const inside = ['ip', 'netns', 'exec', probe];
    const canSlow = await works(...inside, 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'tbf', ...SLOW_LINK);
    await system('ip', 'netns', 'del', probe);
    const network = new NetworkNamespaces(canSlow);
    const bridge = network.#id;
    if (!(await works('ip', 'link', 'add', bridge, 'type', 'bridge'))) return undefined;
    await system('ip', 'addr', 'add', `${network.#net}.254/24`, 'dev', bridge);
    await system('ip', 'link', 'set', bridge, 'up');
    return network;
  }

  async add(name: string): Promise<HostPlace> {
    const number = this.#hosts.size + 1;
    if (number > MOST_HOSTS) throw new RangeError(`A network has room for ${MOST_HOSTS} hosts.`);
    const namespace = `${this.#id}-${name}`;
    const cable = `${this.#id}v${number}`;
    const address = `${this.#net}.${number}`;
    this.#hosts.set(name, { namespace, cable, address });
    await system('ip', 'netns', 'add', namespace);
    await system('ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    await system('ip', 'link', 'set', cable, 'master', this.#id, 'up');
    await this.#inside(name, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await this.#inside(name, 'ip', 'link', 'set', 'eth0', 'up');
    await this.#inside(name, 'ip', 'link', 'set', 'lo', 'up');
    return { address, through: ['ip', 'netns', 'exec', namespace] };
  }

  /** Nothing comes or goes. */
  async cut(name: string): Promise<void> {
    await system('ip', 'link', 'set', this.#host(name).cable, 'down');
  }

  async join(name: string): Promise<void> {
    await system('ip', 'link', 'set', this.#host(name).cable, 'up');
  }

  /** What `from` sends to `to` is lost; what `to` sends arrives, and the answers are lost. */
  async block(from: string, to: string): Promise<void> {
    await this.#inside(from, 'ip', 'route', 'replace', 'blackhole', `${this.#host(to).address}/32`);
  }

  async unblock(from: string, to: string): Promise<void> {
    await this.#inside(from, 'ip', 'route', 'del', 'blackhole', `${this.#host(to).address}/32`);
  }

  /** Of what the node sends. */
  async slow(name: string): Promise<void> {
    await this.#inside(name, 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', ...SLOW_LINK);
  }

  async speedUp(name: string): Promise<void> {
    await this.#inside(name, 'tc', 'qdisc', 'del', 'dev', 'eth0', 'root');
  }

  /** Cables go with their namespaces. */
  async remove(): Promise<void> {
    for (const { namespace } of this.#hosts.values()) await works('ip', 'netns', 'del', namespace);
    await works('ip', 'link', 'del', this.#id);
  }

  async #inside(name: string, ...words: readonly string[]): Promise<void> {
    await system('ip', 'netns', 'exec', this.#host(name).namespace, ...words);
  }

  #host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new RangeError(`There is no host ${name} in the network.`);
    return host;
  }
}

/** A run that was killed could not clean up behind itself: what belongs to processes that are gone is removed. */
async function removeLeftBehind(): Promise<void> {
  const namespaces = await readdir(NAMESPACES).catch(() => []);
  for (const namespace of namespaces) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)`).exec(namespace) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    await works('ip', 'netns', 'del', namespace);
    await works('ip', 'link', 'del', `${PREFIX}${pid}`);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
