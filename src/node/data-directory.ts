/** @module The data directory of a node: what lies where, and that one process at a time uses it. */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { hasBlockStore } from '../storage/block-directory.ts';
import { syncDirectory } from '../storage/durable-file.ts';
import { makeDirectory } from '../storage/make-directory.ts';
import { DirectoryLock, isLockFile } from './directory-lock.ts';
import { writeDurably } from './durable-file.ts';
import { configDamaged, directoryNotWritable, notInitialised, systemCode } from './errors.ts';
import { loadNodeConfig, type NodeConfig, saveNodeConfig } from './node-config.ts';

const PRIVATE_DIRECTORY_MODE = 0o700;
/** Of the permissions that a new file would have, all but its owner's are taken. */
const PRIVATE_UMASK = 0o077;

/** Claimed for this process until release(). */
export class DataDirectory {
  readonly path: string;
  readonly keyFile: string;
  readonly raftLogFile: string;
  readonly namespaceFile: string;
  readonly snapshotDir: string;
  readonly locationPagesFile: string;
  readonly blockDir: string;
  readonly peersFile: string;
  readonly manifestFile: string;
  readonly #recoveryFile: string;
  readonly #generationFile: string;
  readonly witnessFile: string;
  readonly pausesFile: string;
  readonly scrubFile: string;
  readonly #lock: DirectoryLock;

  private constructor(path: string, lock: DirectoryLock) {
    this.path = path;
    this.keyFile = join(path, 'key');
    this.raftLogFile = join(path, 'raft.db');
    this.namespaceFile = join(path, 'namespace.db');
    this.snapshotDir = join(path, 'snapshots');
    this.locationPagesFile = join(path, 'location-pages');
    this.blockDir = join(path, 'blocks');
    this.peersFile = join(path, 'peers.json');
    this.manifestFile = join(path, 'manifests');
    this.#recoveryFile = join(path, 'recovery');
    this.#generationFile = join(path, 'generation');
    this.witnessFile = join(path, 'witness.json');
    this.scrubFile = join(path, 'scrub.json');
    this.pausesFile = join(path, 'paused-workers.json');
    this.#lock = lock;
  }

  /**
   * Makes the directory if need be (mode 0700) and locks it. From then on this process makes files and directories for its
   * owner alone: what was made beforehand may be open to all, as /var/lib is, and blocks are other people's files.
   * Errors: NODE_DIRECTORY_NOT_WRITABLE, NODE_ALREADY_RUNNING (with the pid of the holder).
   */
  static async claim(path: string): Promise<DataDirectory> {
    const absolute = resolve(path);
    process.umask(PRIVATE_UMASK);
    try {
      await makeDirectory(absolute, PRIVATE_DIRECTORY_MODE);
    } catch (error) {
      throw directoryNotWritable(absolute, error);
    }
    return new DataDirectory(absolute, await DirectoryLock.acquire(absolute));
  }

  /** Lets the next process in. The last thing a node does. */
  async release(): Promise<void> {
    await this.#lock.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  contents(): Promise<string[]> {
    return contentsOf(this.path);
  }

  /** Errors: NODE_NOT_INITIALISED, NODE_CONFIG_DAMAGED. */
  async config(): Promise<NodeConfig> {
    return readConfig(this.path);
  }

  async saveConfig(config: NodeConfig): Promise<void> {
    await saveNodeConfig(configFile(this.path), config);
  }

  /**
   * Moves everything of the role `meta` into the directory `name` (`name-2` … when there is one), so that it can be
   * looked at later. Returns where it is now, or would be if there were anything. The log goes first: what is left without it counts as lost all the same.
   */
  async setAside(name: string): Promise<string> {
    return this.#moveInto(name, (await this.contents()).filter(isMetadataFile).toSorted(logFirst));
  }

  /**
   * As setAside, of the namespace alone. The file goes before its WAL: SQLite deletes a WAL that it finds beside a new
   * file, while the file without its WAL could pass for a whole one.
   */
  async setNamespaceAside(name: string): Promise<string> {
    return this.#moveInto(name, (await this.contents()).filter(isNamespaceFile).toSorted());
  }

  /** As setAside, with all that says who the other nodes of the cluster were. Key, blocks and node.json stay. */
  async setClusterAside(name: string): Promise<string> {
    const others = [this.peersFile, this.manifestFile, this.witnessFile, this.scrubFile].map((file) =>
      basename(file),
    );
    const found = (await this.contents()).filter((file) => isMetadataFile(file) || others.includes(file));
    return this.#moveInto(name, found.toSorted(logFirst));
  }

  async #moveInto(name: string, found: readonly string[]): Promise<string> {
    if (found.length === 0) return join(this.path, name);
    const target = await freshDirectory(join(this.path, name));
    for (const file of found) await rename(join(this.path, file), join(target, file));
    await syncDirectory(target);
    await syncDirectory(this.path);
    return target;
  }

  /** Epoch of a recovery that was begun here and not ended; undefined as a rule. Errors: NODE_CONFIG_DAMAGED. */
  async recoveryEpoch(): Promise<number | undefined> {
    const epoch = await readCount(this.#recoveryFile);
    return epoch === 0 ? undefined : epoch;
  }

  /** From here on the node does not start until endRecovery(). */
  async beginRecovery(epoch: number): Promise<void> {
    await writeDurably(this.#recoveryFile, `${epoch}\n`);
  }

  async endRecovery(): Promise<void> {
    await rm(this.#recoveryFile);
    await syncDirectory(this.path);
  }

  /** Counts the starts on this data, from 1; durable before it returns, so that no two starts share a number. */
  async nextGeneration(): Promise<number> {
    const generation = (await readCount(this.#generationFile)) + 1;
    await writeDurably(this.#generationFile, `${generation}\n`);
    return generation;
  }

  /** Whether this node has held blocks, and there is no trace of them: their disk is not mounted, or is another one. */
  async hasLostBlocks(): Promise<boolean> {
    return (await readCount(this.#generationFile)) > 0 && !(await hasBlockStore(this.blockDir));
  }
}

/** Log, marker, namespace, and what SQLite keeps beside them. */
function isMetadataFile(name: string): boolean {
  return name.startsWith('raft.db') || isNamespaceFile(name) || name === 'snapshots';
}

function isNamespaceFile(name: string): boolean {
  return name.startsWith('namespace.db');
}

function logFirst(a: string, b: string): number {
  return Number(b === 'raft.db') - Number(a === 'raft.db');
}

async function freshDirectory(path: string): Promise<string> {
  for (let copy = 1; ; copy += 1) {
    const candidate = copy === 1 ? path : `${path}-${copy}`;
    try {
      await mkdir(candidate, { mode: PRIVATE_DIRECTORY_MODE });
      return candidate;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Reads node.json of a directory that another process may be using. Errors: NODE_NOT_INITIALISED, NODE_CONFIG_DAMAGED. */
export async function readConfig(path: string): Promise<NodeConfig> {
  const config = await existingConfig(path);
  if (config === undefined) throw notInitialised(resolve(path));
  return config;
}

/** Writes down that this node's number is gone, so that it is never started again. */
export async function markAsLeft(path: string): Promise<void> {
  await saveNodeConfig(configFile(resolve(path)), { ...(await readConfig(path)), left: true });
}

/** As readConfig, but undefined where no node lives yet. Errors: NODE_CONFIG_DAMAGED. */
export function existingConfig(path: string): Promise<NodeConfig | undefined> {
  return loadNodeConfig(configFile(resolve(path)));
}

/** Names of everything in a data directory but its lock; empty where there is no directory. */
export async function contentsOf(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !isLockFile(name)).toSorted();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw directoryNotWritable(resolve(path), error);
  }
}

function configFile(path: string): string {
  return join(path, 'node.json');
}

/** A small number in a file of its own; 0 where there is no file. */
async function readCount(file: string): Promise<number> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw configDamaged(file, 'it holds no number');
  return count;
}
