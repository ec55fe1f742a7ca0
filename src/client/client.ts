/** @module A client of one cluster: files in and out, the tree, and the cluster's administration. */
import type { BlockHash } from '../common/hashing.ts';
import type { Cluster, Member, Stat, Token } from '../namespace/schema.ts';
import type { PeerId } from '../network/network.ts';
import type { IndexLookupResponse, IndexOverviewResponse } from '../protocol/index-view.ts';
import type {
  BackupMark,
  BlockHere,
  CreateTokenResponse,
  MembersResponse,
  RemoveMemberResponse,
  StatusResponse,
} from '../protocol/messages.ts';
import {
  CONFIGURE,
  CREATE_TOKEN,
  DRAIN,
  LIST_TOKENS,
  MEMBERS,
  REMOVE_MEMBER,
  REVOKE_TOKEN,
  STATUS,
  TRANSFER_LEADER,
} from '../protocol/methods.ts';
import { BackupsClient } from './backups-client.ts';
import { listBlocksHere } from './blocks-here.ts';
import type {
  AppendOptions,
  ClusterSettings,
  FileLocation,
  GetOptions,
  GetResult,
  ListEntry,
  NewToken,
  OperationOptions,
  PutOptions,
  PutResult,
  PutSource,
  ReadOptions,
  RemovalOptions,
  StatOptions,
  Usage,
  WalkEntry,
} from './client-options.ts';
import { ClientContext, type ClientContextComponents, type ClientContextOptions } from './client-context.ts';
import { CollectionClient } from './collection-client.ts';
import type { AskOptions } from './metadata-peers.ts';
import { explainLookup, indexOverview } from './location-index.ts';
import { FileChecker, type FileCheckOptions } from './file-check.ts';
import { locateFile, readFile } from './file-reader.ts';
import type { NamespaceRecovery, RecoveryOptions } from './recovery/namespace-recovery.ts';
import { appendToFile } from './file-appender.ts';
import { writeFile } from './file-writer.ts';
import type { KnownPeer } from './profile.ts';
import { listDirectory, measureUsage, walkTree } from './tree.ts';
import { checked, TreeClient } from './tree-client.ts';
import { type NodeVisit, visitNodes } from './node-visit.ts';
import { WorkersClient } from './workers-client.ts';

export interface ClientOptions extends ClientContextOptions {
  /** Called once by close(), e.g. to stop a network made for this client. */
  readonly release: () => Promise<void>;
}

/**
 * Paths are absolute ('/a/b'). Every call may fail with CLIENT_NO_METADATA (unavailable), CLIENT_OUTCOME_UNKNOWN
 * (unknown), NAMESPACE_* (refused), or the reason of its `signal`.
 */
export class Client extends TreeClient {
  readonly collection: CollectionClient;
  readonly workers: WorkersClient;
  readonly backups: BackupsClient;
  readonly #release: () => Promise<void>;
  #closed: Promise<void> | undefined;

  constructor(components: ClientContextComponents, options: ClientOptions) {
    super(new ClientContext(components, options));
    this.collection = new CollectionClient(this.context);
    this.workers = new WorkersClient(this.context);
    this.backups = new BackupsClient(this.context);
    this.#release = options.release;
  }

  /** The metadata nodes that this client knows now. */
  get metadataNodes(): readonly KnownPeer[] {
    return this.context.metadata.known;
  }

  /**
   * Stores a file; what was at the path before is replaced whole, at the end. When it fails nothing is visible.
   * Errors: METADATA_NOT_ENOUGH_DATANODES, CLIENT_WRITE_FAILED, CLIENT_INVALID_ARGUMENT, NAMESPACE_*.
   */
  async put(path: string, source: PutSource, options: PutOptions = {}): Promise<PutResult> {
    return writeFile(this.context, checked(path), source, options);
  }

  /**
   * Adds to the end of a file; readers see all of it at once, when it is complete. Makes the file where there is none.
   * One at a time: NAMESPACE_LEASE_HELD while somebody else appends. Further errors: NAMESPACE_VERSION_MISMATCH,
   * NAMESPACE_NOT_FOUND when the file is removed or replaced meanwhile, CLIENT_BLOCK_UNAVAILABLE, and those of put.
   */
  async append(path: string, source: PutSource, options: AppendOptions = {}): Promise<PutResult> {
    return appendToFile(this.context, checked(path), source, options);
  }

  /** Opens a file. Iterating may fail with CLIENT_BLOCK_UNAVAILABLE or CLIENT_FILE_CHANGED. */
  async get(path: string, options: GetOptions = {}): Promise<GetResult> {
    return readFile(this.context, checked(path), options);
  }

  /** Of what a symbolic link leads to, unless `noFollow`; `path` in the answer is without symbolic links. */
  async stat(path: string, options: StatOptions = {}): Promise<Stat> {
    return this.context.plans.stat(checked(path), options);
  }

  /** A directory's entries in the order of their names. Errors: NAMESPACE_NOT_A_DIRECTORY. */
  async *list(path: string, options: ReadOptions = {}): AsyncGenerator<ListEntry> {
    yield* listDirectory(this.context.metadata, checked(path), options);
  }

  /** Everything below `path`, parents before children; that of `path` itself comes first. Symbolic links are not followed below it. */
  async *walk(path: string, options: ReadOptions = {}): AsyncGenerator<WalkEntry> {
    yield* walkTree(this.context.metadata, checked(path), options);
  }

  /** What `path` and everything below it takes. */
  async usage(path: string, options: ReadOptions = {}): Promise<Usage> {
    return measureUsage(this.context.metadata, checked(path), options);
  }

  /** Which datanodes hold which block of a file, in the order of the file. */
  async locate(path: string, options: ReadOptions = {}): Promise<FileLocation> {
    return locateFile(this.context, checked(path), options);
  }

  /** What the datanode `peer` holds, in hash order. */
  blocksHere(peer: PeerId, options: OperationOptions = {}): AsyncIterable<BlockHere> {
    return listBlocksHere(this.context, peer, options);
  }

  /** Checks one file after the other: which copies its datanodes really have. */
  fileChecker(options: FileCheckOptions = {}): FileChecker {
    return new FileChecker(this.context, options);
  }

  /** The whole cluster as one metadata node knows it: nodes, log, room, what is at risk and what is being done about it. */
  status(options: ReadOptions = {}): Promise<StatusResponse> {
    return this.context.metadata.ask(STATUS, { stale: options.stale ?? false }, options);
  }

  /** The location index: what every metadata node says of its part; with `holders` also who holds which shard. */
  locationIndex(
    options: OperationOptions & { readonly holders?: boolean } = {},
  ): Promise<IndexOverviewResponse> {
    return indexOverview(this.context, options.holders ?? false, options);
  }

  /**
   * Looks at all that datanodes hold, and decides which files of a lost namespace come back; changes nothing yet.
   * Dispose of it. See NamespaceRecovery.
   */
  async prepareRecovery(options: RecoveryOptions): Promise<NamespaceRecovery> {
    // Brings SQLite along, which nobody else needs here.
    const { NamespaceRecovery: Recovery } = await import('./recovery/namespace-recovery.ts');
    return Recovery.prepare(this.context, options);
  }

  /** Puts a backup of the namespace at `path`, its blocks marked as one. For the leader; the time is that of the state. */
  saveBackup(
    path: string,
    source: AsyncIterable<Uint8Array>,
    { mark, signal }: { readonly mark: BackupMark; readonly signal: AbortSignal },
  ): Promise<PutResult> {
    const options = { parents: true, mtimeMs: mark.timeMs, backup: mark, signal };
    return writeFile(this.context, checked(path), source, options);
  }

  /** Every node, asked from here: whether it is reached, and what its clock says. */
  visitNodes(options: OperationOptions = {}): Promise<readonly NodeVisit[]> {
    return visitNodes(this.context, options);
  }

  /** Looks up who holds a block, and says whom it asked, and how long each took. */
  explainLookup(hash: BlockHash, options: OperationOptions = {}): Promise<IndexLookupResponse> {
    return explainLookup(this.context, hash, options);
  }

  /** Everybody who belongs to the cluster, clients and those who have left among them. */
  members(options: ReadOptions = {}): Promise<MembersResponse> {
    return this.context.metadata.ask(MEMBERS, { stale: options.stale ?? false }, options);
  }

  /** Makes a join token. After an attempt without an answer another one is made: at worst one that nobody knows is left to expire. */
  createToken(token: NewToken, options: OperationOptions = {}): Promise<CreateTokenResponse> {
    const { roles, uses = 1, unlimited = false, lifetimeMs } = token;
    const request = { roles: [...roles], uses, unlimited, lifetimeMs };
    return this.context.metadata.ask(CREATE_TOKEN, request, withEffect(options));
  }

  /** The join tokens that the cluster remembers; without their secrets, which nobody keeps. */
  async listTokens(options: OperationOptions = {}): Promise<readonly Token[]> {
    return (await this.context.metadata.ask(LIST_TOKENS, {}, options)).tokens;
  }

  /** Nobody joins by the token any more; who has joined by it stays. Errors: METADATA_NO_SUCH_TOKEN. */
  async revokeToken(id: string, options: OperationOptions = {}): Promise<void> {
    await this.context.metadata.ask(REVOKE_TOKEN, { id }, withEffect(options));
  }

  /** Takes a member out for good: its number is never used again. Errors: METADATA_REMOVAL_UNSAFE unless `force`, METADATA_LAST_METADATA_NODE, NAMESPACE_NO_SUCH_MEMBER. */
  removeMember(number: Member['number'], options: RemovalOptions = {}): Promise<RemoveMemberResponse> {
    const { force = false, dryRun = false } = options;
    return this.context.metadata.ask(REMOVE_MEMBER, { number, force, dryRun }, withEffect(options));
  }

  /** Has the copies of a datanode made again elsewhere; new blocks go to others. Repeating it changes nothing. Errors: METADATA_NOT_A_DATANODE, NAMESPACE_NO_SUCH_MEMBER. */
  async drain(number: Member['number'], options: OperationOptions = {}): Promise<Member | undefined> {
    return (await this.context.metadata.ask(DRAIN, { number, isOver: false }, withEffect(options))).member;
  }

  /** The datanode takes copies again. */
  async undrain(number: Member['number'], options: OperationOptions = {}): Promise<Member | undefined> {
    return (await this.context.metadata.ask(DRAIN, { number, isOver: true }, withEffect(options))).member;
  }

  /** Makes another metadata node lead, and resolves with its number. `to` 0: the one that is best. Errors: METADATA_NOT_A_VOTER, METADATA_NOT_TRANSFERRED. */
  async transferLeader(to: Member['number'], options: OperationOptions = {}): Promise<number> {
    return (await this.context.metadata.ask(TRANSFER_LEADER, { to }, withEffect(options))).leader;
  }

  /** Changes settings of the cluster; what is absent stays as it is. Errors: NAMESPACE_INVALID_ARGUMENT. */
  async configure(settings: ClusterSettings, options: OperationOptions = {}): Promise<Cluster | undefined> {
    const { voters = 0, voterReplacementMs = 0, ...others } = settings;
    const request = { voters, voterReplacementMs, ...others };
    return (await this.context.metadata.ask(CONFIGURE, request, withEffect(options))).cluster;
  }

  /** Ends the client; what is in flight fails with CLIENT_CLOSED. Repeating it waits for the same end. */
  close(): Promise<void> {
    this.#closed ??= this.context.close().then(this.#release);
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
