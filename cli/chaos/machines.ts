/** @module The machines that the nodes of chaos run on, as far as this machine can pretend to be several. */
import type { NodePlace } from '../demo/local-cluster.ts';
import { clockFile, clockSurroundings, setClock } from './stepped-clock.ts';
import { NetworkNamespaces } from './network-namespaces.ts';
import { SmallDisks } from './small-disks.ts';

export type Ability = 'network' | 'slow-links' | 'small-disks' | 'clocks';

export interface MachinesOptions {
  readonly directory: string;
  /** Bytes of each node's disk, where it can have one of its own. */
  readonly diskSizeBytes: number;
}

const LOOPBACK = '/ip4/127.0.0.1/tcp/0';

/** Everything of it is gone after dispose. */
export class Machines {
  /** Ability by ability: why it is missing here. */
  readonly missing: ReadonlyMap<Ability, string>;
  readonly network: NetworkNamespaces | undefined;
  readonly disks: SmallDisks | undefined;
  readonly #directory: string;

  private constructor(
    { directory }: MachinesOptions,
    network: NetworkNamespaces | undefined,
    disks: SmallDisks | undefined,
    missing: ReadonlyMap<Ability, string>,
  ) {
    this.#directory = directory;
    this.network = network;
    this.disks = disks;
    this.missing = missing;
  }

  /** Finds out what can be done here, and prepares it. */
  static async open(options: MachinesOptions): Promise<Machines> {
    const missing = new Map<Ability, string>();
    const network = await NetworkNamespaces.open();
    if (network === undefined) {
      missing.set('network', 'network namespaces need root and the command ip');
      missing.set('slow-links', 'slow links need network namespaces');
    } else if (!network.canSlow)
      missing.set('slow-links', 'the command tc or the queueing discipline tbf is missing');
    const disks = await SmallDisks.open(options);
    if (disks === undefined) missing.set('small-disks', 'disks of their own need root, to mount a tmpfs');
    return new Machines(options, network, disks, missing);
  }

  can(ability: Ability): boolean {
    return !this.missing.has(ability);
  }

  /** A machine for a node, made ready; `directory` is where its data will be. */
  async place(name: string, directory: string): Promise<NodePlace> {
    await this.disks?.add(name, directory);
    const clock = clockSurroundings(clockFile(this.#directory, name));
    const host = await this.network?.add(name);
    if (host === undefined) return { listen: LOOPBACK, ...clock };
    return { listen: `/ip4/${host.address}/tcp/4600`, through: host.through, ...clock };
  }

  /** The node's wall clock goes wrong by this much, or right again with 0. `signal` tells its process, if it runs. */
  async setClock(name: string, offsetMs: number, signal: (signal: NodeJS.Signals) => void): Promise<void> {
    await setClock(clockFile(this.#directory, name), offsetMs);
    signal('SIGUSR2');
  }

  /** Takes the disks away; when the nodes have ended, and before their directories go. */
  async vacate(): Promise<void> {
    await this.disks?.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vacate();
    await this.network?.remove();
  }
}
