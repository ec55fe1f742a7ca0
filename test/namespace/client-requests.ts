/** @module What clients send, given what they want and how the tree is by now. */
import type { Command, SessionCommand } from '../../src/namespace/schema.ts';
import { blockNamed, type Claim, type ClientModel, namesOf } from './client-model.ts';
import { type Ask, type ClaimAsked, FULL_BLOCKS, type Place, type Request } from './client-steps.ts';
import { command } from './founded-machine.ts';
import { isShortBlock } from './tree-model.ts';

export class ClientRequests {
  readonly #model: ClientModel;
  /** What each session sent, in order. */
  readonly #sent = new Map<string, SessionCommand[]>();

  constructor(model: ClientModel) {
    this.#model = model;
  }

  /** What is sent by now for what was drawn. */
  make({ ask: next, session, again, acknowledges }: Request): SessionCommand {
    if (session === '' || next.do === 'housekeeping') return plainly(this.#command(next));
    const sent = this.#sent.get(session) ?? [];
    this.#sent.set(session, sent);
    const repeated = again === undefined ? undefined : sent.at(-1 - again);
    if (repeated !== undefined) return repeated;
    const sequence = sent.length + 1;
    const ackedBelow = Math.max(0, sequence - acknowledges);
    sent.push({ session, sequence, ackedBelow, command: this.#command(next) });
    return sent.at(-1) as SessionCommand;
  }

  #command(next: Ask): Command {
    // Who has nothing open begins something.
    if ('isOld' in next && !next.isOld && this.#model.leases.size === 0)
      return command('createFile', { path: `/${FULL_BLOCKS[next.pick % FULL_BLOCKS.length]}` });
    switch (next.do) {
      case 'mkdir': {
        const attributes = { owner: '', group: '', mode: next.mode };
        return command('makeDirectory', {
          path: this.path(next.at),
          parents: next.parents,
          ...(next.parents ? {} : { attributes }),
        });
      }
      case 'create':
        return command('createFile', {
          path: this.path(next.at),
          parents: next.parents,
          complete: next.complete,
          blocks: next.complete ? next.blocks.map(blockNamed) : [],
          replication: next.copies,
          precondition: {
            ifAbsent: next.ifAbsent,
            ifVersion: this.#version(this.path(next.at), next.version),
          },
          mtimeMs: next.mtimeMs,
          attributes: { owner: '', group: '', mode: next.mode },
        });
      case 'openAppend':
        return command('openAppend', { path: this.path(next.at) });
      case 'append': {
        const written = this.#model.tree.open.get(this.#claim(next).inode)?.blocks ?? [];
        // Nothing follows a short block.
        const isEnded = isShortBlock(written.at(-1) ?? '');
        return command('appendBlocks', {
          ...this.#claim(next),
          firstBlock: written.length + (next.otherPlace ? 1 : 0),
          blocks: isEnded ? [] : next.blocks.map(blockNamed),
        });
      }
      case 'copyBlocks': {
        const { blocks: written = [] } = this.#model.tree.open.get(this.#claim(next).inode) ?? {};
        const firstBlock = written.length + (next.otherPlace ? 1 : 0);
        return command('copyBlocks', {
          ...this.#claim(next),
          firstBlock,
          from: this.#inodeAt(this.path(next.at)),
        });
      }
      case 'close': {
        const appendTo = this.#model.tree.open.get(this.#claim(next).inode)?.appendTo;
        const claim = { ...this.#claim(next), mtimeMs: next.mtimeMs };
        if (appendTo === undefined)
          return command('closeFile', { ...claim, precondition: { ifAbsent: next.ifAbsent, ifVersion: 0 } });
        const short = appendTo.blocks.filter(isShortBlock).length;
        const replaced = { all: short, none: 0, last: 1, full: short + 1 }[next.replaces] ?? 0;
        const keepBlocks = Math.max(0, appendTo.blocks.length - replaced);
        return command('closeAppend', { ...claim, keepBlocks });
      }
      case 'abandon':
        return command('abandonFile', this.#claim(next));
      case 'renew':
        return command('renewLease', this.#claim(next));
      case 'rename':
        return command('rename', {
          from: this.path(next.at),
          to: this.path(next.to),
          noClobber: next.noClobber,
        });
      case 'copy':
        return command('copyFile', {
          from: this.path(next.at),
          to: this.path(next.to),
          noClobber: next.noClobber,
        });
      case 'symlink':
        return command('makeSymlink', { path: this.path(next.at), target: next.target });
      case 'unlink':
        return command('unlink', { path: this.path(next.at) });
      case 'rmdir':
        return command('removeDirectory', { path: this.path(next.at) });
      case 'removeTree':
        return command('removeTree', { path: this.path(next.at) });
      case 'setReplication':
        return command('setReplication', { path: this.path(next.at), replication: next.copies });
      case 'attributes':
        return command('setAttributes', {
          path: this.path(next.at),
          noFollow: next.noFollow,
          mode: next.mode,
          mtimeMs: next.mtimeMs,
        });
      case 'touch':
        return command('touch', { path: this.path(next.at), mtimeMs: next.mtimeMs });
      case 'housekeeping':
        return command('housekeeping', { limit: next.limit });
    }
  }

  /** A lease that is there, or any that was granted lately. */
  #claim({ pick: at, isOld, otherToken }: ClaimAsked): Claim {
    const { claims, leases } = this.#model;
    const lately = isOld ? claims.slice(-4) : claims.filter(({ inode }) => leases.has(inode));
    const { inode, fencingToken } = lately[at % Math.max(1, lately.length)] ?? { inode: 0, fencingToken: 0 };
    return { inode, fencingToken: otherToken ? fencingToken + 1 : fencingToken };
  }

  /** Where that is in the tree as it is. */
  path({ how, pick: at, path }: Place): string {
    if (how === 'anywhere') return path;
    const nodes = [...this.#model.tree.all()].filter(
      ({ node }) => how === 'node' || node.kind === (how === 'file' ? 'file' : 'directory'),
    );
    if (how === 'inside') nodes.push({ names: [], node: this.#model.tree.root });
    const found = nodes[at % Math.max(1, nodes.length)];
    if (found === undefined) return path;
    const name = how === 'inside' ? namesOf(path).slice(0, 1) : [];
    return `/${[...found.names, ...name].join('/')}`;
  }

  #version(at: string, version: string): number {
    const node = this.#model.nodeAt(at);
    const right = (node && this.#model.facts.get(node)?.version) ?? 1;
    return { any: 0, right, wrong: right + 1 }[version] ?? 0;
  }

  #inodeAt(at: string): number {
    const node = this.#model.nodeAt(at);
    return (node && this.#model.facts.get(node)?.inode) ?? 99;
  }
}

/** In no session. */
export function plainly(made: Command): SessionCommand {
  return { session: '', sequence: 0, ackedBelow: 0, command: made };
}
