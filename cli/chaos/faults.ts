/** @module What can go wrong with a node or a link: how it is brought about, and how it is put right again. */
import type { LocalCluster } from '../demo/local-cluster.ts';
import type { Ability, Machines } from './machines.ts';
import type { SeededChoice } from './seeded-choice.ts';

export interface FaultContext {
  readonly cluster: LocalCluster;
  readonly machines: Machines;
  readonly choice: SeededChoice;
  /** Of all nodes. */
  readonly names: readonly string[];
}

/** What was done, in words, and how it ends. */
export interface Injected {
  readonly what: string;
  /** Nodes that it concerns; a node bears one fault at a time. */
  readonly names: readonly string[];
  /** So long after the end a node may still end by itself: it met the fault, and was on its way out. */
  readonly aftermathMs?: number;
  /** Resolves with other words for what was done, where that shows only in the end. */
  heal(): Promise<string | void>;
}

export interface FaultKind {
  /** Stable, kebab-case. */
  readonly name: string;
  /** How often, compared with the others. */
  readonly weight: number;
  readonly needs?: Ability;
  /** `name` is a node that bears none yet; undefined where this one does not apply. */
  inject(context: FaultContext, name: string, free: readonly string[]): Promise<Injected | undefined>;
}

/** More than leases and sessions last, either way. */
const CLOCK_STEPS_MS: readonly number[] = [-600_000, -5_000, 5_000, 90_000, 3_600_000];

/** What a node that cannot write takes to stop, on a busy machine. */
const LEAVING_MS = 15_000;

/** Of processes, links, disks and clocks; others are in files of their own. */
export const NODE_FAULTS: readonly FaultKind[] = [
  {
    name: 'kill',
    weight: 4,
    async inject({ cluster }, name) {
      await cluster.node(name).kill('SIGKILL');
      return { what: `${name} killed (kill -9)`, names: [name], heal: () => start(cluster, name) };
    },
  },
  {
    name: 'pause',
    weight: 4,
    async inject({ cluster }, name) {
      const node = cluster.node(name);
      node.signal('SIGSTOP');
      return { what: `${name} stopped (SIGSTOP)`, names: [name], heal: async () => node.signal('SIGCONT') };
    },
  },
  {
    name: 'power-cut',
    weight: 1,
    async inject({ cluster }, _name, free) {
      await Promise.all(free.map((name) => cluster.node(name).kill('SIGKILL')));
      const heal = async (): Promise<void> =>
        void (await Promise.all(free.map((name) => start(cluster, name))));
      return { what: `${free.join(', ')} killed at once`, names: free, heal };
    },
  },
  {
    name: 'cut',
    weight: 4,
    needs: 'network',
    async inject({ machines: { network } }, name) {
      await network?.cut(name);
      return {
        what: `${name} cut off from the network`,
        names: [name],
        heal: async () => network?.join(name),
      };
    },
  },
  {
    name: 'one-way',
    weight: 3,
    needs: 'network',
    async inject({ machines: { network }, choice, names }, name) {
      const to = choice.pick(names.filter((other) => other !== name));
      await network?.block(name, to);
      const heal = async (): Promise<void> => network?.unblock(name, to);
      return { what: `what ${name} sends to ${to} is lost`, names: [name], heal };
    },
  },
  {
    name: 'slow-link',
    weight: 3,
    needs: 'slow-links',
    async inject({ machines: { network } }, name) {
      await network?.slow(name);
      return { what: `the link of ${name} is slow`, names: [name], heal: async () => network?.speedUp(name) };
    },
  },
  {
    name: 'full-disk',
    weight: 2,
    needs: 'small-disks',
    async inject({ machines: { disks }, cluster }, name) {
      await disks?.fill(name);
      const heal = async (): Promise<void> => {
        await disks?.empty(name);
        if (!cluster.node(name).isRunning) await start(cluster, name);
      };
      return { what: `the disk of ${name} is full`, names: [name], aftermathMs: LEAVING_MS, heal };
    },
  },
  {
    name: 'clock-step',
    weight: 2,
    needs: 'clocks',
    async inject({ machines, cluster, choice }, name) {
      const offsetMs = choice.pick(CLOCK_STEPS_MS);
      const set = (to: number): Promise<void> =>
        machines.setClock(name, to, (signal) => cluster.node(name).signal(signal));
      await set(offsetMs);
      return { what: `the clock of ${name} is ${offsetMs / 1000} s off`, names: [name], heal: () => set(0) };
    },
  },
];

/** A node that is just leaving its old process, or whose disk has room again only now, may need a second start. */
const STARTS = 3;

export async function start(cluster: LocalCluster, name: string, more?: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return void (await cluster.startNode(name, more));
    } catch (error) {
      if (attempt === STARTS) throw error;
    }
}
