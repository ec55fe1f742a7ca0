/** @module A client of one cluster: files in and out, the tree, and the cluster's administration. */
import { splitPath } from '../namespace/path.ts';
import type { Cluster, Member, Removed, Stat, Token } from '../namespace/schema.ts';
import type { PeerId } from '../network/network.ts';
import type {
  BlockHere,
  CreateTokenResponse,
  MembersResponse,
  RemoveMemberResponse,
  StatusResponse,
} from '../protocol/messages.ts';
import {
  CONFIGURE,
  CREATE_TOKEN,
  LIST_TOKENS,
  MEMBERS,
  REMOVE_MEMBER,
  REVOKE_TOKEN,
  STAT,
  STATUS,
  TRANSFER_LEADER,
} from '../protocol/methods.ts';
import { listBlocksHere } from './blocks-here.ts';
import type {
  ClusterSettings,
  FileLocation,
  GetOptions,
  GetResult,
  ListEntry,
  MakeDirectoryOptions,
  MoveOptions,
  NewToken,
  OperationOptions,
  PutOptions,
  PutResult,
  PutSource,
  ReadOptions,
  RemovalOptions,
  TouchOptions,
  Usage,
  WalkEntry,
} from './client-options.ts';
import { ClientContext, type ClientContextComponents, type ClientContextOptions } from './client-context.ts';
import type { AskOptions } from './metadata-peers.ts';
import { locateFile, readFile } from './file-reader.ts';
import { writeFile } from './file-writer.ts';
import { listDirectory, measureUsage, walkTree } from './tree.ts';
import { removedResult, statOf } from './result.ts';

export interface ClientOptions extends ClientContextOptions {
  /** Called once by close(), e.g. to stop a network made for this client. */
  readonly release: () => Promise<void>;
}

/**
 * Paths are absolute ('/a/b'). Every call may fail with CLIENT_NO_METADATA (unavailable), CLIENT_OUTCOME_UNKNOWN
 * (unknown), NAMESPACE_* (refused), or the reason of its `signal`.
 */
export class Client {
  readonly #context: ClientContext;
  readonly #release: () => Promise<void>;
  #closed: Promise<void> | undefined;

  constructor(components: ClientContextComponents, options: ClientOptions) {
    this.#context = new ClientContext(components, options);
    this.#release = options.release;
  }

  /**
   * Stores a file; what was at the path before is replaced whole, at the end. When it fails nothing is visible.
   * Errors: METADATA_NOT_ENOUGH_DATANODES, CLIENT_WRITE_FAILED, CLIENT_INVALID_ARGUMENT, NAMESPACE_*.
   */
  async put(path: string, source: PutSource, options: PutOptions = {}): Promise<PutResult> {
    return writeFile(this.#context, checked(path), source, options);
  }

  /** Opens a file. Iterating may fail with CLIENT_BLOCK_UNAVAILABLE or CLIENT_FILE_CHANGED. */
  async get(path: string, options: GetOptions = {}): Promise<GetResult> {
    return readFile(this.#context, checked(path), options);
  }

  async stat(path: string, options: ReadOptions = {}): Promise<Stat> {
    const request = { path: checked(path), stale: options.stale ?? false };
    return statOf('stat', (await this.#context.metadata.ask(STAT, request, options)).stat);
  }

  /** A directory's entries in the order of their names. Errors: NAMESPACE_NOT_A_DIRECTORY. */
  async *list(path: string, options: ReadOptions = {}): AsyncGenerator<ListEntry> {
    yield* listDirectory(this.#context.metadata, checked(path), options);
  }

  /** Everything below `path`, parents before children; the entry of `path` itself comes first. */
  async *walk(path: string, options: ReadOptions = {}): AsyncGenerator<WalkEntry> {
    yield* walkTree(this.#context.metadata, checked(path), options);
  }

  async mkdir(path: string, options: MakeDirectoryOptions = {}): Promise<void> {
    const value = { path: checked(path), parents: options.parents ?? false };
    await this.#context.mutations.run({ $case: 'makeDirectory', value }, options);
  }

  async rmdir(path: string, options: OperationOptions = {}): Promise<void> {
    await this.#context.mutations.run({ $case: 'removeDirectory', value: { path: checked(path) } }, options);
  }

  async unlink(path: string, options: OperationOptions = {}): Promise<void> {
    await this.#context.mutations.run({ $case: 'unlink', value: { path: checked(path) } }, options);
  }

  /** Removes a file, or a directory with everything below it, atomically. */
  async removeTree(path: string, options: OperationOptions = {}): Promise<Removed> {
    const result = await this.#context.mutations.run(
      { $case: 'removeTree', value: { path: checked(path) } },
      options,
    );
    return removedResult('removeTree', result);
  }

  /** Atomic, for files and whole directories; a file at `to` is replaced. */
  async rename(from: string, to: string, options: MoveOptions = {}): Promise<void> {
    const value = { from: checked(from), to: checked(to), noClobber: options.noClobber ?? false };
    await this.#context.mutations.run({ $case: 'rename', value }, options);
  }

  /** Copies a file by reference: no block is moved. */
  async copy(from: string, to: string, options: MoveOptions = {}): Promise<void> {
    const value = { from: checked(from), to: checked(to), noClobber: options.noClobber ?? false };
    await this.#context.mutations.run({ $case: 'copyFile', value }, options);
  }

  /** Sets the modification time; creates an empty file where there is none. */
  async touch(path: string, options: TouchOptions = {}): Promise<void> {
    const value = { path: checked(path), mtimeMs: options.mtimeMs ?? 0 };
    await this.#context.mutations.run({ $case: 'touch', value }, options);
  }

  async setReplication(path: string, replication: number, options: OperationOptions = {}): Promise<void> {
    await this.#context.mutations.run(
      { $case: 'setReplication', value: { path: checked(path), replication } },
      options,
    );
  }

  async usage(path: string, options: ReadOptions = {}): Promise<Usage> {
    return measureUsage(this.#context.metadata, checked(path), options);
  }

  async locate(path: string, options: ReadOptions = {}): Promise<FileLocation> {
    return locateFile(this.#context.metadata, checked(path), options);
  }

  /** What the datanode `peer` holds, in hash order. */
  blocksHere(peer: PeerId, options: OperationOptions = {}): AsyncIterable<BlockHere> {
    return listBlocksHere(this.#context, peer, options);
  }

  status(options: ReadOptions = {}): Promise<StatusResponse> {
    return this.#context.metadata.ask(STATUS, { stale: options.stale ?? false }, options);
  }

  members(options: ReadOptions = {}): Promise<MembersResponse> {
    return this.#context.metadata.ask(MEMBERS, { stale: options.stale ?? false }, options);
  }

  /** After an attempt without an answer another token is made: at worst one that nobody knows is left to expire. */
  createToken(token: NewToken, options: OperationOptions = {}): Promise<CreateTokenResponse> {
    const { roles, uses = 1, unlimited = false, lifetimeMs } = token;
    const request = { roles: [...roles], uses, unlimited, lifetimeMs };
    return this.#context.metadata.ask(CREATE_TOKEN, request, withEffect(options));
  }

  async listTokens(options: OperationOptions = {}): Promise<readonly Token[]> {
    return (await this.#context.metadata.ask(LIST_TOKENS, {}, options)).tokens;
  }

  async revokeToken(id: string, options: OperationOptions = {}): Promise<void> {
    await this.#context.metadata.ask(REVOKE_TOKEN, { id }, withEffect(options));
  }

  /** Errors: METADATA_REMOVAL_UNSAFE unless `force`, METADATA_LAST_METADATA_NODE, NAMESPACE_NO_SUCH_MEMBER. */
  removeMember(number: Member['number'], options: RemovalOptions = {}): Promise<RemoveMemberResponse> {
    const { force = false, dryRun = false } = options;
    return this.#context.metadata.ask(REMOVE_MEMBER, { number, force, dryRun }, withEffect(options));
  }

  /** Resolves with the new leader's number. `to` 0: whoever is best. Errors: METADATA_NOT_A_VOTER, METADATA_NOT_TRANSFERRED. */
  async transferLeader(to: Member['number'], options: OperationOptions = {}): Promise<number> {
    return (await this.#context.metadata.ask(TRANSFER_LEADER, { to }, withEffect(options))).leader;
  }

  /** What is absent stays as it is. Errors: NAMESPACE_INVALID_ARGUMENT. */
  async configure(settings: ClusterSettings, options: OperationOptions = {}): Promise<Cluster | undefined> {
    const { voters = 0, voterReplacementMs = 0 } = settings;
    const request = { voters, voterReplacementMs };
    return (await this.#context.metadata.ask(CONFIGURE, request, withEffect(options))).cluster;
  }

  /** Ends what is in flight with CLIENT_CLOSED. Repeating it waits for the same end. */
  close(): Promise<void> {
    this.#closed ??= this.#context.close().then(this.#release);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Repeating these is harmless, so nobody needs to hear of a first attempt without an answer before the last one. */
function withEffect(options: OperationOptions): AskOptions {
  return { ...options, onUnknown: () => {} };
}

/** Half a character would silently become U+FFFD on the wire, another name than was meant. Errors: NAMESPACE_INVALID_NAME. */
function checked(path: string): string {
  splitPath(path);
  return path;
}
