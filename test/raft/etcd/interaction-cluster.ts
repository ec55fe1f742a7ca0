/** @module The nodes of an interaction transcript and the messages between them; everything moves only when told to. */
import { describeMessage, describeReady } from '../../../raft/describe.ts';
import { isRaftError } from '../../../raft/errors.ts';
import type { RaftError } from '../../../raft/errors.ts';
import { isLocalTarget } from '../../../raft/messages.ts';
import type { Message, MessageType, NodeId, Snapshot } from '../../../raft/types.ts';
import { InteractionNode } from './interaction-node.ts';
import type { NodeOptions } from './interaction-node.ts';
import type { InteractionOutput } from './interaction-output.ts';

/** Which messages a command is about; of any type when none is named. */
export interface Delivery {
  readonly to: NodeId;
  readonly type?: MessageType;
  readonly drop?: boolean;
}

export class InteractionCluster {
  readonly #output: InteractionOutput;
  readonly #nodes: InteractionNode[] = [];
  #messages: Message[] = [];

  constructor(output: InteractionOutput) {
    this.#output = output;
  }

  get nodes(): readonly InteractionNode[] {
    return this.#nodes;
  }

  node(id: NodeId): InteractionNode {
    const node = this.#nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  addNodes(count: number, options: NodeOptions, start: Snapshot): void {
    for (let i = 0; i < count; i++)
      this.#nodes.push(new InteractionNode(this.#nodes.length + 1, options, start));
  }

  send(message: Message): void {
    this.#messages.push(message);
  }

  processReady(node: InteractionNode): void {
    const isAsync = node.options.asyncStorageWrites === true;
    const ready = node.raw.ready();
    this.#output.write(describeReady(ready));
    if (!isAsync) {
      node.append(ready.hardState, ready.entries, ready.snapshot);
      node.apply(ready.committedEntries);
    }
    for (const message of ready.messages) {
      if (message.type === 'MsgStorageAppend') node.appendWork.push(message);
      else if (message.type === 'MsgStorageApply') node.applyWork.push(message);
      else this.send(message);
    }
    if (!isAsync) node.raw.advance();
  }

  processAppendThread(node: InteractionNode): void {
    this.#report(node.runAppendThread(), 'append');
  }

  processApplyThread(node: InteractionNode): void {
    this.#report(node.runApplyThread(), 'apply');
  }

  /** Says how many messages it handled. */
  deliver(delivery: Delivery): number {
    const { taken, rest } = this.#split(delivery);
    this.#messages = rest;
    for (const message of taken) {
      const text = describeMessage(message);
      this.#output.writeLine(delivery.drop === true ? `dropped: ${text}` : text);
      if (delivery.drop !== true) this.#step(message);
    }
    return taken.length;
  }

  /** Lets these nodes work until they have nothing to do, with each other only. */
  stabilize(nodes: readonly InteractionNode[]): void {
    const isBusy = (): boolean =>
      [
        this.#each(
          nodes,
          'handling Ready',
          ({ raw }) => raw.hasReady(),
          (node) => this.processReady(node),
        ),
        this.#each(
          nodes,
          'receiving messages',
          ({ id }) => this.#split({ to: id }).taken.length > 0,
          ({ id }) => this.deliver({ to: id }),
        ),
        this.#each(
          nodes,
          'processing append thread',
          ({ appendWork }) => appendWork.length > 0,
          (node) => {
            while (node.appendWork.length > 0) this.processAppendThread(node);
          },
        ),
        this.#each(
          nodes,
          'processing apply thread',
          ({ applyWork }) => applyWork.length > 0,
          (node) => {
            while (node.applyWork.length > 0) this.processApplyThread(node);
          },
        ),
      ].includes(true);
    while (isBusy());
  }

  #each(
    nodes: readonly InteractionNode[],
    activity: string,
    isDue: (node: InteractionNode) => boolean,
    work: (node: InteractionNode) => void,
  ): boolean {
    const isDueBefore = nodes.filter((node) => {
      if (!isDue(node)) return false;
      this.#output.section(`> ${node.id} ${activity}`, () => work(node));
      return true;
    });
    return isDueBefore.length > 0;
  }

  #report(work: Message | undefined, thread: string): void {
    if (work === undefined) {
      this.#output.write(`no ${thread} work to perform`);
      return;
    }
    const { responses = [], ...request } = work;
    this.#output.writeLine('Processing:');
    this.#output.writeLine(describeMessage(request));
    this.#output.writeLine('Responses:');
    for (const response of responses) {
      this.#output.writeLine(describeMessage(response));
      this.send(response);
    }
  }

  #step(message: Message): void {
    try {
      this.node(message.to).raw.step(message);
    } catch (error) {
      if (!isRaftError(error) || error.code === 'RAFT_INVARIANT') throw error;
      this.#output.writeLine(etcdError(error));
    }
  }

  /** Messages to a node's own threads and from them are never lost, so never dropped either. */
  #split({ to, type, drop = false }: Delivery): { readonly taken: Message[]; readonly rest: Message[] } {
    const isMeant = (m: Message): boolean =>
      m.to === to && (type === undefined || m.type === type) && !(drop && isLocal(m));
    return {
      taken: this.#messages.filter(isMeant),
      rest: this.#messages.filter((m) => !isMeant(m)),
    };
  }
}

function isLocal({ from, to }: Message): boolean {
  return from === to || isLocalTarget(from) || isLocalTarget(to);
}

/** The same failure in the words of etcd. */
export function etcdError(error: RaftError): string {
  switch (error.code) {
    case 'RAFT_PROPOSAL_DROPPED':
      return 'raft proposal dropped';
    case 'RAFT_STEP_PEER_NOT_FOUND':
      return 'raft: cannot step as peer not found';
    case 'RAFT_STEP_LOCAL_MESSAGE':
      return 'raft: cannot step raft local message';
    case 'RAFT_COMPACTED':
      return 'requested index is unavailable due to compaction';
    default:
      return error.message;
  }
}
