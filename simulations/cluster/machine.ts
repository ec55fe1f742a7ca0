/** @module The machine under one simulated node: disk and clocks, which outlive its processes. */
import type { ManifestChain } from '../../dht/messages.ts';
import type { Index, Term } from '../../raft/types.ts';
import type { Member } from '../../src/namespace/schema.ts';
import type { MemoryPageStore } from '../../src/storage/memory-page-store.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import type { ShelvedBlockStore } from '../../src/storage/shelved-block-store.ts';
import { Prng } from '../prng.ts';
import { BlockPlatter } from '../world/block-platter.ts';
import { DiskHealth, DiskQueue } from '../world/disk-queue.ts';
import { MachineClock } from '../world/process-clock.ts';
import type { ProcessGate } from '../world/process-gate.ts';
import { SimulatedFiles } from '../world/simulated-files.ts';
import type { Seen, WitnessStore } from '../../src/metadata/witness.ts';
import { RaftLogFile } from '../world/raft-log-file.ts';
import { type LogObserver, SimulatedRaftLog } from '../world/simulated-raft-log.ts';
import { SimulatedRowStore } from '../world/simulated-row-store.ts';
import type { CutMode } from '../world/weather.ts';
import { openSimulatedBlockStore } from '../world/simulated-shelf.ts';
import type { World } from '../world/world.ts';
import { openFaultyPages, type PageSight } from './spill-faults.ts';

export interface MachineOptions {
  readonly seed: number;
  readonly name: string;
  /** Of the disk that blocks lie on, in bytes. */
  readonly blockCapacityBytes?: number | undefined;
}

/** What lies on the disk of a metadata node at one moment. */
export interface DiskImage {
  readonly log: RaftLogFile;
  readonly rows: MemoryRowStore;
  readonly files: SimulatedFiles;
  readonly witnessed: readonly Seen[];
  readonly book: readonly Member[];
  readonly manifests: ManifestChain;
}

/** Of a metadata node's directory; any of them may rot. */
export const DISK_PARTS = ['log', 'marker', 'rows', 'snapshots'] as const;
/** 'log-end': what was written to the log last. */
export type DiskPart = (typeof DISK_PARTS)[number] | 'log-end';

const SEEK_STEPS = 1_000;
const DEFAULT_BLOCK_CAPACITY_BYTES: number = 1024 * 1024 * 1024;

export class Machine {
  readonly clock: MachineClock;
  readonly health: DiskHealth = new DiskHealth();
  readonly files: SimulatedFiles;
  readonly platter: BlockPlatter;
  /** Metadata nodes, as they were known last: peers.json. Kept with every change, so that a crash takes nothing of it. */
  book: readonly Member[] = [];
  /** The signed lists of them: the file `manifests` of a metadata node. */
  manifests: ManifestChain = { links: [] };
  readonly #world: World;
  readonly #random: Prng;
  readonly #pagesRandom: Prng;
  #log = new RaftLogFile();
  /** Logs that lay here, up to when they were lost. */
  readonly #lostLogs: RaftLogFile[] = [];
  #rows: MemoryRowStore;
  #witnessed: readonly Seen[] = [];
  #areRowsRotten = false;
  #isHarmed = false;
  #queues: DiskQueue[] = [];

  constructor(world: World, options: MachineOptions) {
    this.#world = world;
    this.#random = new Prng(options.seed, `disk of ${options.name}`);
    this.clock = new MachineClock(world);
    this.files = new SimulatedFiles(new Prng(options.seed, `files of ${options.name}`));
    this.#rows = new MemoryRowStore(this.files);
    this.#pagesRandom = new Prng(options.seed, `pages of ${options.name}`);
    this.platter = new BlockPlatter(options.blockCapacityBytes ?? DEFAULT_BLOCK_CAPACITY_BYTES);
  }

  get log(): RaftLogFile {
    return this.#log;
  }

  /**
   * Whether an entry is on the disk, or was before a fault took it: what a node acknowledged counts for ever, since it never
   * votes again without it.
   */
  hasHeld(index: Index, term: Term): boolean {
    return [this.#log, ...this.#lostLogs].some((log) => {
      const found = log.termAt(index);
      return found === 'compacted' || found === term;
    });
  }

  /** Something was done to its disk that a node may stop for. */
  get isHarmed(): boolean {
    return this.#isHarmed;
  }

  /** Its namespace cannot be read. */
  get areRowsRotten(): boolean {
    return this.#areRowsRotten;
  }

  /** For one file of one run of a process. */
  openQueue(gate: ProcessGate, name: string): DiskQueue {
    const queue = new DiskQueue(
      { world: this.#world, gate, health: this.health, random: this.#random },
      name,
    );
    this.#queues.push(queue);
    return queue;
  }

  /** For the blocks of one run of a process. */
  openBlocks(gate: ProcessGate): ShelvedBlockStore {
    const { platter, health } = this;
    const seek = (): Promise<void> =>
      new Promise((resolve) => {
        const spreadMs = health.slowestSyncMs - health.fastestSyncMs;
        const seekMs = health.fastestSyncMs + (spreadMs * this.#random.int(SEEK_STEPS)) / SEEK_STEPS;
        this.#world.after(seekMs, () => gate.run(resolve));
      });
    return openSimulatedBlockStore({ platter, health, seek, queue: this.openQueue(gate, 'blocks') });
  }

  /** The log of a metadata node; errors of RaftLogFile.open. */
  openLog(gate: ProcessGate, observer: LogObserver): SimulatedRaftLog {
    const queue = this.openQueue(gate, 'raft.db');
    return SimulatedRaftLog.open({ file: this.#log, queue, random: this.#random, observer });
  }

  /** The namespace of a metadata node. */
  openRows(gate: ProcessGate): SimulatedRowStore {
    const queue = this.openQueue(gate, 'namespace.db');
    return new SimulatedRowStore({ rows: this.#rows, queue, isRotten: () => this.#areRowsRotten });
  }

  /** Where location records go that do not fit into memory: gone with the process, and not to be relied upon before. */
  openPages(gate: ProcessGate, saw: (what: PageSight) => void): MemoryPageStore {
    const random = this.#pagesRandom;
    const seek = async (): Promise<void> => {
      const spreadMs = this.health.slowestSyncMs - this.health.fastestSyncMs;
      const seekMs = this.health.fastestSyncMs + (spreadMs * random.int(SEEK_STEPS)) / SEEK_STEPS;
      await new Promise<void>((resolve) => this.#world.after(seekMs, () => gate.run(resolve)));
    };
    return openFaultyPages({ random, health: this.health, seek, saw });
  }

  openWitness(gate: ProcessGate): WitnessStore {
    const queue = this.openQueue(gate, 'witness.json');
    return {
      load: async () => this.#witnessed,
      save: (seen) => queue.write(() => void (this.#witnessed = seen)),
    };
  }

  /** Everything but who the node is. It must not run. */
  wipe(): void {
    this.#isHarmed = true;
    this.#lostLogs.push(this.#log.clone({ asCopy: false }));
    this.#log.wipe();
    this.#witnessed = [];
    this.book = [];
    this.manifests = { links: [] };
    this.files.wipe();
    this.setRowsAside();
  }

  /** Says whether there was anything to rot. */
  rot(part: DiskPart): boolean {
    this.#isHarmed = true;
    if (part === 'snapshots') return this.files.rot();
    if (part !== 'rows') return this.#log.rot(part, this.#random);
    this.#areRowsRotten = true;
    return true;
  }

  /** Its last write to the log went elsewhere. It must not run. */
  misdirect(): boolean {
    this.#isHarmed = true;
    return this.#log.misdirect(this.#random);
  }

  image(): DiskImage {
    const files = new SimulatedFiles(this.#random);
    files.become(this.files);
    return {
      log: this.#log.clone({ asCopy: false }),
      rows: this.#rows.clone(),
      files,
      witnessed: this.#witnessed,
      book: this.book,
      manifests: this.manifests,
    };
  }

  /** `asCopy`: file by file, as from a backup; else as if nothing had been written since. It must not run. */
  putBack(image: DiskImage, { asCopy }: { readonly asCopy: boolean }): void {
    this.#isHarmed = true;
    this.#lostLogs.push(this.#log);
    this.#log = image.log.clone({ asCopy });
    this.#rows = image.rows.clone();
    this.files.become(image.files);
    this.#witnessed = image.witnessed;
    this.book = image.book;
    this.manifests = image.manifests;
  }

  /** As a node does that cannot read them. */
  setRowsAside(): void {
    this.#rows = new MemoryRowStore(this.files);
    this.#areRowsRotten = false;
  }

  /** The process died or, 'silent', the power failed: what was not synced may be gone. */
  crash(mode: CutMode): void {
    for (const queue of this.#queues) queue.crash(mode);
    this.#queues = [];
    if (mode === 'silent') this.#log.losePower(this.#random);
    this.files.crash();
    this.platter.crash(this.#random);
  }
}
