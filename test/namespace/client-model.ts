/**
 * @module What clients with sessions and leases may expect of commands, as a simple tree and lists beside it: given a command
 * and its result, whether that is the one it had to be.
 */
import { MIB } from '../../src/common/bytes.ts';
import { SESSION_IDLE_MS } from '../../src/namespace/limits.ts';
import type { BlockRef, Command, Grant, Result, SessionCommand, Stat } from '../../src/namespace/schema.ts';
import { block, outcome } from './founded-machine.ts';
import { halves, isShortBlock, type ModelNode, ModelRefusal, TreeModel } from './tree-model.ts';

type Kind = NonNullable<Command['kind']>;
export interface Claim {
  readonly inode: number;
  readonly fencingToken: number;
}
interface Lease {
  readonly fencingToken: number;
  readonly durationMs: number;
  expiresMs: number;
}
interface Session {
  readonly owner: string;
  lastUsedMs: number;
  ackedBelow: number;
  readonly answers: Map<number, Result>;
}
/** What is known of a node beside where it is and what is in it. */
export interface Facts {
  readonly inode: number;
  readonly version: number;
  readonly mode: number | undefined;
  readonly mtimeMs: number;
}

export const BLOCK_BYTES: number = 8 * MIB;
const LEASE_MS = 60_000;

/** One that begins with a dot is half as long. */
export function blockNamed(name: string): BlockRef {
  return block(name, isShortBlock(name) ? BLOCK_BYTES / 2 : BLOCK_BYTES);
}

export class ClientModel {
  readonly tree: TreeModel = new TreeModel();
  readonly leases: Map<number, Lease> = new Map();
  readonly sessions: Map<string, Session> = new Map();
  /** Of every node that somebody made. */
  readonly facts: Map<ModelNode, Facts> = new Map();
  /** All leases ever granted: writers come back late. */
  readonly claims: Claim[] = [];
  nowMs = 0;
  readonly #blocks: ReadonlyMap<string, string>;
  readonly #versions = new Set<number>();
  /** Modes of files that are being written. */
  readonly #modes = new Map<number, number | undefined>();

  constructor(blockNames: readonly string[]) {
    this.#blocks = new Map(blockNames.map((name) => [hashText(blockNamed(name)), name]));
  }

  passTo(timeMs: number): void {
    this.nowMs = Math.max(this.nowMs, timeMs);
  }

  /** What the result should have been, and was: equal, unless something is wrong. */
  judge({ session: id, sequence, ackedBelow, command }: SessionCommand, result: Result): [unknown, unknown] {
    const kind = command?.kind as Kind;
    if (id === '') return this.#judge(kind, result);
    const session = this.sessions.get(id);
    const isGone = session === undefined || session.lastUsedMs + SESSION_IDLE_MS <= this.nowMs;
    // Until Housekeeping comes by, one that is over is as good as any.
    if (session === undefined || (isGone && outcome(result) === 'NAMESPACE_SESSION_EXPIRED')) {
      this.sessions.delete(id);
      return ['NAMESPACE_SESSION_EXPIRED', outcome(result)];
    }
    const answer = session.answers.get(sequence);
    if (answer !== undefined) return [answer, result];
    if (sequence < session.ackedBelow) return ['NAMESPACE_INVALID_ARGUMENT', outcome(result)];
    const judged = this.#judge(kind, result);
    session.lastUsedMs = this.nowMs;
    session.ackedBelow = Math.max(session.ackedBelow, Math.min(ackedBelow, sequence));
    session.answers.set(sequence, result);
    for (const each of session.answers.keys()) if (each < session.ackedBelow) session.answers.delete(each);
    return judged;
  }

  /** Housekeeping has nothing left to do. */
  forgetWhatIsOver(): void {
    for (const [inode, { expiresMs }] of this.leases) if (expiresMs <= this.nowMs) this.#end(inode);
    for (const [id, { lastUsedMs }] of this.sessions)
      if (lastUsedMs + SESSION_IDLE_MS <= this.nowMs) this.sessions.delete(id);
  }

  /** What is at a path, if anything; symlinks are followed. */
  nodeAt(path: string): ModelNode | undefined {
    const node = this.#nodeOrRefusal(namesOf(path), true);
    return node === 'refused' ? undefined : node;
  }

  /** What a stat of a node must say, and what one says. */
  compare(node: ModelNode, stat: Stat): [unknown, unknown] {
    const facts = this.#factsOf(node, stat);
    const said = { kind: node.kind, inode: facts.inode, mode: facts.mode };
    const says = { kind: stat.kind, inode: stat.inode, mode: stat.mode };
    if (node.kind === 'directory')
      return [
        { ...said, replication: node.replication, childCount: node.children.size },
        { ...says, replication: stat.replication, childCount: stat.childCount },
      ];
    const { version, mtimeMs } = stat;
    const dated = { version: facts.version, mtimeMs: facts.mtimeMs };
    if (node.kind === 'symlink')
      return [
        { ...said, ...dated, target: node.target },
        { ...says, version, mtimeMs, target: stat.linkTarget },
      ];
    const { replication, blocks } = node;
    const short = blocks.filter(isShortBlock).length;
    const content = { sizeBytes: (halves(blocks) * BLOCK_BYTES) / 2, blockCount: blocks.length };
    const { sizeBytes, blockCount, tailBlocks } = stat;
    return [
      { ...said, ...dated, replication, ...content, tailBlocks: short > 1 ? short : 0 },
      { ...says, version, mtimeMs, replication: stat.replication, sizeBytes, blockCount, tailBlocks },
    ];
  }

  #judge(kind: Kind, result: Result): [unknown, unknown] {
    const made = new Set([...this.tree.all()].map(({ node }) => node));
    try {
      const [wanted, got] = this.#take(kind, result);
      return [
        ['done', wanted],
        [outcome(result).startsWith('NAMESPACE_') ? outcome(result) : 'done', got],
      ];
    } catch (error) {
      if (!(error instanceof ModelRefusal)) throw error;
      // Directories made on the way are not there either.
      for (const { names, node } of this.tree.all())
        if (node.kind === 'directory' && !made.has(node)) this.#drop(names);
      return [error.code, outcome(result)];
    }
  }

  /** Does it, and gives what more there is to be compared. Throws ModelRefusal. */
  #take(kind: Kind, result: Result): [unknown, unknown] {
    const { tree } = this;
    switch (kind.$case) {
      case 'openSession':
        return this.#openSession(kind.value);
      case 'makeDirectory': {
        const names = namesOf(kind.value.path);
        tree.mkdir(names, kind.value.parents);
        // With its parents, one that was there already is as good.
        if (kind.value.parents) return this.compare(tree.at(names), statIn(result));
        return this.#noteNew(names, statIn(result), kind.value.attributes?.mode);
      }
      case 'createFile':
        return this.#create(kind.value, result);
      case 'appendBlocks':
        return this.#append(kind.value, result);
      case 'copyBlocks':
        return this.#copyBlocks(kind.value, result);
      case 'renewLease':
        return this.#extend(this.#check(kind.value, result));
      case 'abandonFile':
        this.#check(kind.value, result, false);
        this.#end(kind.value.inode);
        return SAME;
      case 'closeFile':
        return this.#close(kind.value, result);
      case 'closeAppend':
        return this.#closeAppend(kind.value, result);
      case 'openAppend':
        tree.beginAppend(grantIn(result).inode, namesOf(kind.value.path), (inode) => this.#isOver(inode));
        for (const inode of this.leases.keys()) if (!tree.open.has(inode)) this.leases.delete(inode);
        return this.#grant(grantIn(result));
      case 'rename': {
        const { from, to, noClobber } = kind.value;
        // Afterwards the way there may be another: a symlink can be moved to where it leads.
        const moved = this.#nodeOrRefusal(namesOf(from), false);
        tree.rename(namesOf(from), namesOf(to), noClobber);
        return this.compare(moved as ModelNode, statIn(result));
      }
      case 'copyFile': {
        const replaced = this.#modeAt(namesOf(kind.value.to));
        tree.copy(namesOf(kind.value.from), namesOf(kind.value.to), kind.value.noClobber);
        return this.#noteContent(namesOf(kind.value.to), statIn(result), replaced, this.nowMs);
      }
      case 'unlink':
        tree.unlink(namesOf(kind.value.path));
        return SAME;
      case 'removeDirectory':
        tree.rmdir(namesOf(kind.value.path));
        return SAME;
      case 'removeTree':
        tree.removeTree(namesOf(kind.value.path));
        return SAME;
      case 'setReplication': {
        tree.setReplication(namesOf(kind.value.path), kind.value.replication);
        return this.compare(tree.at(namesOf(kind.value.path)), statIn(result));
      }
      case 'makeSymlink': {
        tree.symlink(namesOf(kind.value.path), kind.value.target);
        return this.#noteNew(namesOf(kind.value.path), statIn(result), undefined);
      }
      case 'setAttributes':
        return this.#setAttributes(kind.value, result);
      case 'touch':
        return this.#touch(kind.value, result);
      case 'housekeeping':
        return SAME;
      default:
        throw new Error(`The model knows no ${kind.$case}.`);
    }
  }

  #openSession({ id, owner }: { readonly id: string; readonly owner: string }): [unknown, unknown] {
    const before = this.sessions.get(id);
    if (before !== undefined && before.owner !== owner) throw new ModelRefusal('EXISTS');
    if (before === undefined)
      this.sessions.set(id, { owner, lastUsedMs: this.nowMs, ackedBelow: 0, answers: new Map() });
    return SAME;
  }

  #create(command: Extract<Kind, { $case: 'createFile' }>['value'], result: Result): [unknown, unknown] {
    const names = namesOf(command.path);
    const { ifAbsent = false, ifVersion = 0 } = command.precondition ?? {};
    if (command.parents) this.tree.mkdir(names.slice(0, -1), true);
    if (ifVersion !== 0) this.#checkVersion(names, ifAbsent, ifVersion);
    if (!command.complete) {
      this.tree.begin(grantIn(result).inode, names, ifAbsent, command.replication);
      return this.#grant(grantIn(result), command.attributes?.mode);
    }
    const replaced = this.#modeAt(names);
    this.tree.put(names, this.#namesOfBlocks(command.blocks), ifAbsent, command.replication);
    const mode = command.attributes?.mode ?? replaced;
    return this.#noteContent(names, statIn(result), mode, command.mtimeMs || this.nowMs);
  }

  #checkVersion(names: readonly string[], ifAbsent: boolean, version: number): void {
    const node = this.#nodeOrRefusal(names, !ifAbsent);
    if (node === 'refused' || (ifAbsent && node !== undefined) || node?.kind === 'directory') return;
    if (node === undefined) throw new ModelRefusal('NOT_FOUND');
    if (this.facts.get(node)?.version !== version) throw new ModelRefusal('VERSION_MISMATCH');
  }

  #append(
    command: Claim & { readonly firstBlock: number; readonly blocks: BlockRef[] },
    result: Result,
  ): [unknown, unknown] {
    const lease = this.#check(command, result);
    const { blocks } = this.tree.open.get(command.inode)!;
    if (command.firstBlock !== blocks.length) throw new ModelRefusal('INVALID_ARGUMENT');
    blocks.push(...this.#namesOfBlocks(command.blocks));
    return this.#extend(lease);
  }

  #copyBlocks(
    command: Claim & { readonly firstBlock: number; readonly from: number },
    result: Result,
  ): [unknown, unknown] {
    const lease = this.#check(command, result);
    const source = [...this.tree.all()].find(
      ({ node }) => this.facts.get(node)?.inode === command.from,
    )?.node;
    if (source?.kind !== 'file') throw new ModelRefusal('NOT_FOUND');
    const { blocks, appendTo } = this.tree.open.get(command.inode)!;
    const isEnded = blocks.length > source.blocks.length || blocks.some(isShortBlock);
    if (appendTo !== undefined || command.firstBlock !== blocks.length || isEnded)
      throw new ModelRefusal('INVALID_ARGUMENT');
    blocks.push(...source.blocks.slice(blocks.length));
    return this.#extend(lease);
  }

  #close(
    command: Claim & { readonly precondition?: { ifAbsent: boolean } | undefined; readonly mtimeMs: number },
    result: Result,
  ): [unknown, unknown] {
    this.#check(command, result);
    const { names } = this.tree.open.get(command.inode)!;
    const replaced = this.#modeAt(names);
    const mode = this.#modes.get(command.inode) ?? replaced;
    this.tree.close(command.inode, command.precondition?.ifAbsent ?? false);
    this.leases.delete(command.inode);
    return this.#noteContent(names, statIn(result), mode, command.mtimeMs || this.nowMs);
  }

  #closeAppend(
    command: Claim & { readonly keepBlocks: number; readonly mtimeMs: number },
    result: Result,
  ): [unknown, unknown] {
    this.#check(command, result);
    const { appendTo, blocks } = this.tree.open.get(command.inode)!;
    this.tree.closeAppend(command.inode, command.keepBlocks);
    this.leases.delete(command.inode);
    const file = appendTo as ModelNode;
    const stat = statIn(result);
    const facts = this.#factsOf(file, stat);
    if (blocks.length > 0) {
      this.facts.set(file, { ...facts, version: stat.version, mtimeMs: command.mtimeMs || this.nowMs });
      this.#noteVersion(stat.version);
    }
    return this.compare(file, stat);
  }

  #setAttributes(
    command: Extract<Kind, { $case: 'setAttributes' }>['value'],
    result: Result,
  ): [unknown, unknown] {
    const node = this.tree.at(namesOf(command.path), !command.noFollow);
    const facts = this.#factsOf(node, statIn(result));
    const { mode = facts.mode, mtimeMs = facts.mtimeMs } = command;
    this.facts.set(node, { ...facts, mode, mtimeMs });
    return this.compare(node, statIn(result));
  }

  #touch(command: { readonly path: string; readonly mtimeMs: number }, result: Result): [unknown, unknown] {
    const names = namesOf(command.path);
    const mtimeMs = command.mtimeMs || this.nowMs;
    const there = this.#nodeOrRefusal(names, true);
    if (there === undefined || there === 'refused') {
      this.tree.put(names, [], false);
      return this.#noteContent(names, statIn(result), undefined, mtimeMs);
    }
    this.facts.set(there, { ...this.#factsOf(there, statIn(result)), mtimeMs });
    return this.compare(there, statIn(result));
  }

  #grant(grant: Grant, mode?: number): [unknown, unknown] {
    const { inode, fencingToken, expiresMs } = grant;
    this.leases.set(inode, { fencingToken, durationMs: LEASE_MS, expiresMs: this.nowMs + LEASE_MS });
    this.claims.push({ inode, fencingToken });
    this.#modes.set(inode, mode);
    return [this.nowMs + LEASE_MS, expiresMs];
  }

  /** Where one has run out, Housekeeping may have taken it away, and may not: the result tells. */
  #check(claim: Claim, result: Result, mustLast = true): Lease {
    const lease = this.leases.get(claim.inode);
    const isOver = this.#isOver(claim.inode);
    if (lease === undefined || (isOver && outcome(result) === 'NAMESPACE_LEASE_EXPIRED'))
      throw new ModelRefusal('LEASE_EXPIRED');
    if (lease.fencingToken !== claim.fencingToken) throw new ModelRefusal('LEASE_HELD');
    if (isOver && mustLast) throw new ModelRefusal('LEASE_EXPIRED');
    return lease;
  }

  #extend(lease: Lease): [unknown, unknown] {
    lease.expiresMs = this.nowMs + lease.durationMs;
    return SAME;
  }

  #isOver(inode: number): boolean {
    const lease = this.leases.get(inode);
    return lease !== undefined && lease.expiresMs <= this.nowMs;
  }

  #end(inode: number): void {
    this.leases.delete(inode);
    this.tree.open.delete(inode);
  }

  #noteNew(names: readonly string[], stat: Stat, mode: number | undefined): [unknown, unknown] {
    const node = this.tree.at(names, false);
    const { inode, version } = stat;
    this.facts.set(node, { inode, version, mode, mtimeMs: this.nowMs });
    return this.compare(node, stat);
  }

  /** Directories made on the way to others are seen later. */
  #factsOf(node: ModelNode, { inode, version, mtimeMs }: Stat): Facts {
    const facts = this.facts.get(node) ?? { inode, version, mode: undefined, mtimeMs };
    this.facts.set(node, facts);
    return facts;
  }

  #noteContent(
    names: readonly string[],
    stat: Stat,
    mode: number | undefined,
    mtimeMs: number,
  ): [unknown, unknown] {
    const node = this.tree.at(names);
    this.#noteVersion(stat.version);
    this.facts.set(node, { inode: stat.inode, version: stat.version, mode, mtimeMs });
    return this.compare(node, stat);
  }

  #noteVersion(version: number): void {
    if (this.#versions.has(version)) throw new Error(`Two contents are of version ${version}.`);
    this.#versions.add(version);
  }

  #modeAt(names: readonly string[]): number | undefined {
    const node = this.#nodeOrRefusal(names, true);
    return node === undefined || node === 'refused' ? undefined : this.facts.get(node)?.mode;
  }

  /** 'refused' where the way there is barred. */
  #nodeOrRefusal(names: readonly string[], follows: boolean): ModelNode | undefined | 'refused' {
    try {
      return this.tree.at(names, follows);
    } catch (error) {
      if (!(error instanceof ModelRefusal)) throw error;
      return error.code === 'NAMESPACE_NOT_FOUND' ? undefined : 'refused';
    }
  }

  #drop(names: readonly string[]): void {
    const above = this.#nodeOrRefusal(names.slice(0, -1), false);
    if (above !== 'refused' && above?.kind === 'directory') above.children.delete(names.at(-1) ?? '');
  }

  #namesOfBlocks(blocks: readonly BlockRef[]): string[] {
    return blocks.map((each) => this.#blocks.get(hashText(each)) ?? 'unknown');
  }
}

/** Nothing more is to be compared. */
const SAME: [unknown, unknown] = [undefined, undefined];

export function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

export function hashText({ hash }: BlockRef): string {
  return Buffer.from(hash).toString('hex');
}

/** What is not there makes a difference that is told of. */
function statIn({ kind }: Result): Stat {
  return kind?.$case === 'stat' ? kind.value : ({} as Stat);
}

function grantIn({ kind }: Result): Grant {
  return kind?.$case === 'grant' ? kind.value : ({} as Grant);
}
