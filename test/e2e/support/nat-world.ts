/**
 * @module A small internet of network namespaces: a public network, and private ones behind routers of their own that masquerade
 * and drop whatever was not asked for from inside. Needs root, iproute2 and nftables; whoever lacks them is told so.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Looks public: peers treat the ranges of RFC 1918 differently. */
const PUBLIC_NET = '198.51.77';
/** The same in every private network, as in most homes. */
const PRIVATE_NET = '10.0.0';
const LOCAL_NET = '10.9.0';
const BRIDGE = 'br0';

/** Why there can be no such world here; undefined where there can. */
export async function whyNoNatWorld(): Promise<string | undefined> {
  const probe = `hfprobe${process.pid}`;
  try {
    await run('nft', ['--version']);
    await run('ip', ['netns', 'add', probe]);
    await run('ip', ['netns', 'exec', probe, 'nft', 'list', 'tables']);
    return undefined;
  } catch (error) {
    return `no network namespaces with nftables here (root, iproute2 and nftables are needed): ${String(error)}`;
  } finally {
    await run('ip', ['netns', 'del', probe]).catch(() => undefined);
  }
}

/** A private network: one machine behind one router. */
export interface PrivateNetwork {
  /** Namespace of the machine; its address is 10.0.0.2 in each private network. */
  readonly machine: string;
  readonly router: string;
  readonly publicAddress: string;
}

export interface PrivateNetworkOptions {
  /** Ports of outgoing connections are drawn by lot instead of kept. */
  readonly randomPorts?: boolean;
  /** TCP port that the router forwards to the machine. */
  readonly forwardedPort?: number;
}

export class NatWorld {
  /** Namespace of the public machines: they share it and have an address each. */
  readonly public: string;
  readonly #prefix: string;
  readonly #namespaces: string[] = [];

  private constructor(prefix: string) {
    this.#prefix = prefix;
    this.public = `${prefix}pub`;
  }

  /** A public network with `publicMachines` addresses: 198.51.77.1, .2, … */
  static async create(publicMachines: number): Promise<NatWorld> {
    const world = new NatWorld(`hf${process.pid}`);
    await world.#addNamespace(world.public);
    await world.#ip(world.public, 'link', 'add', BRIDGE, 'type', 'bridge');
    await world.#ip(world.public, 'link', 'set', BRIDGE, 'up');
    for (let host = 1; host <= publicMachines; host += 1)
      await world.#ip(world.public, 'addr', 'add', `${PUBLIC_NET}.${host}/24`, 'dev', BRIDGE);
    return world;
  }

  /** `host` is the last byte of the router's public address. */
  async addPrivateNetwork(
    name: string,
    host: number,
    options: PrivateNetworkOptions = {},
  ): Promise<PrivateNetwork> {
    const router = `${this.#prefix}r${name}`;
    const machine = `${this.#prefix}m${name}`;
    const publicAddress = `${PUBLIC_NET}.${host}`;
    await this.#addNamespace(router);
    await this.#addNamespace(machine);
    await this.#ip(router, 'link', 'add', 'wan', 'type', 'veth', 'peer', `w${name}`, 'netns', this.public);
    await this.#ip(this.public, 'link', 'set', `w${name}`, 'master', BRIDGE, 'up');
    await this.#ip(router, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'eth0', 'netns', machine);
    await this.#ip(router, 'addr', 'add', `${publicAddress}/24`, 'dev', 'wan');
    await this.#ip(router, 'addr', 'add', `${PRIVATE_NET}.1/24`, 'dev', 'lan');
    await this.#ip(router, 'link', 'set', 'wan', 'up');
    await this.#ip(router, 'link', 'set', 'lan', 'up');
    await this.#ip(machine, 'addr', 'add', `${PRIVATE_NET}.2/24`, 'dev', 'eth0');
    await this.#ip(machine, 'link', 'set', 'eth0', 'up');
    await this.#ip(machine, 'route', 'add', 'default', 'via', `${PRIVATE_NET}.1`);
    await this.#in(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    // A router that was restarted knows no connection, and takes none up in the middle.
    await this.#in(router, 'sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_loose=0');
    await this.#in(router, 'nft', rules(options));
    return { machine, router, publicAddress };
  }

  /** A machine in the public network that has no address there, but one of a local network of its own: 10.9.0.`host`. */
  async addLocalMachine(name: string, host: number): Promise<string> {
    const machine = `${this.#prefix}l${name}`;
    await this.#addNamespace(machine);
    await this.#ip(machine, 'link', 'add', 'eth0', 'type', 'veth', 'peer', `l${name}`, 'netns', this.public);
    await this.#ip(this.public, 'link', 'set', `l${name}`, 'master', BRIDGE, 'up');
    await this.#ip(machine, 'link', 'set', 'eth0', 'up');
    await this.moveLocalMachine(machine, host);
    return machine;
  }

  /** Another lease: its address is 10.9.0.`host` from now on. */
  async moveLocalMachine(machine: string, host: number): Promise<void> {
    await this.#ip(machine, 'addr', 'flush', 'dev', 'eth0');
    await this.#ip(machine, 'addr', 'add', `${LOCAL_NET}.${host}/24`, 'dev', 'eth0');
    await this.#ip(machine, 'route', 'replace', 'default', 'dev', 'eth0');
  }

  /** Every mapping is lost, and connections that were open lead nowhere. */
  async restartRouter({ router }: PrivateNetwork): Promise<void> {
    // Masquerading forgets what went out through an interface that goes down.
    await this.#ip(router, 'link', 'set', 'wan', 'down');
    await this.#ip(router, 'link', 'set', 'wan', 'up');
  }

  /** The provider hands out another address: mappings are lost with the one of before. */
  async changeAddress({ router, publicAddress }: PrivateNetwork, host: number): Promise<string> {
    await this.#ip(router, 'addr', 'del', `${publicAddress}/24`, 'dev', 'wan');
    const address = `${PUBLIC_NET}.${host}`;
    await this.#ip(router, 'addr', 'add', `${address}/24`, 'dev', 'wan');
    return address;
  }

  async destroy(): Promise<void> {
    for (const namespace of this.#namespaces.splice(0)) await run('ip', ['netns', 'del', namespace]);
  }

  async #addNamespace(name: string): Promise<void> {
    await run('ip', ['netns', 'add', name]);
    this.#namespaces.push(name);
    await this.#ip(name, 'link', 'set', 'lo', 'up');
  }

  async #ip(namespace: string, ...words: readonly string[]): Promise<void> {
    await run('ip', ['-n', namespace, ...words]);
  }

  async #in(namespace: string, ...words: readonly string[]): Promise<void> {
    await run('ip', ['netns', 'exec', namespace, ...words]);
  }
}

function rules({ randomPorts = false, forwardedPort }: PrivateNetworkOptions): string {
  const chains = [
    `chain post { type nat hook postrouting priority 100; oifname "wan" masquerade${randomPorts ? ' random' : ''}; }`,
    `chain through { type filter hook forward priority 0; policy drop; ${[
      'ct state invalid drop',
      'ct state established,related accept',
      'ct status dnat accept',
      'iifname "lan" accept',
    ].join('; ')}; }`,
    // Nothing tells a stranger that nobody is here, and nothing of the router's answers in the machine's place.
    'chain in { type filter hook input priority 0; policy accept; iifname "wan" drop; }',
  ];
  const forwarded =
    forwardedPort === undefined ? '' : `iifname "wan" tcp dport ${forwardedPort} dnat to ${PRIVATE_NET}.2;`;
  chains.push(`chain pre { type nat hook prerouting priority -100; ${forwarded} }`);
  return `table ip home { ${chains.join('\n')}\n}`;
}
