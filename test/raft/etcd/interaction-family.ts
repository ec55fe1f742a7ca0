/** @module Runs the interaction family of transcripts: every command of the language, on a cluster of real cores. */
import { describeEntry, describeMessage, describeProgress } from '../../../raft/describe.ts';
import { isRaftError } from '../../../raft/errors.ts';
import { message } from '../../../raft/messages.ts';
import type { ConfChangeTransition, MessageType } from '../../../raft/types.ts';
import { parseChanges } from './conf-change-text.ts';
import { parseCommandLine } from './datadriven.ts';
import type { Argument, CommandLine, Directive } from './datadriven.ts';
import { InteractionCluster, etcdError } from './interaction-cluster.ts';
import type { InteractionNode } from './interaction-node.ts';
import { parseAddNodes } from './interaction-options.ts';
import { InteractionOutput } from './interaction-output.ts';

const TRANSITIONS: Readonly<Record<string, ConfChangeTransition>> = {
  auto: 'ConfChangeTransitionAuto',
  implicit: 'ConfChangeTransitionJointImplicit',
  explicit: 'ConfChangeTransitionJointExplicit',
};

type Command = (args: readonly Argument[]) => void;

export class InteractionTranscript {
  readonly #output = new InteractionOutput();
  readonly #cluster = new InteractionCluster(this.#output);

  /** What the command and those on its input lines print; `ok` if nothing. */
  run(directive: Directive): string {
    this.#attempt(() => {
      if (directive.command === 'propose-conf-change') {
        this.#proposeConfChange(directive);
        return;
      }
      this.#runLine(directive);
      for (const line of directive.input) this.#attempt(() => this.#runLine(parseCommandLine(line)));
    });
    return this.#output.take() || 'ok';
  }

  readonly #commands: Readonly<Record<string, Command>> = {
    'add-nodes': ([count, ...rest]) => {
      const { options, start } = parseAddNodes(rest);
      this.#cluster.addNodes(Number(count?.key), options, start);
    },
    campaign: (args) => this.#node(args).raw.campaign(),
    compact: (args) => {
      this.#node(args).storage.compact(Number(args[1]?.key));
      this.#printLog(this.#node(args));
    },
    'deliver-msgs': (args) => this.#deliver(args),
    'forget-leader': (args) => this.#node(args).raw.forgetLeader(),
    'log-level': (args) => this.#output.setLevel(args[0]?.key ?? ''),
    'process-append-thread': (args) =>
      this.#each(args, 'processing append thread', (node) => this.#cluster.processAppendThread(node)),
    'process-apply-thread': (args) =>
      this.#each(args, 'processing apply thread', (node) => this.#cluster.processApplyThread(node)),
    'process-ready': (args) => this.#each(args, 'handling Ready', (node) => this.#cluster.processReady(node)),
    propose: (args) => this.#node(args).raw.propose(new TextEncoder().encode(args[1]?.key)),
    'raft-log': (args) => this.#printLog(this.#node(args)),
    'raft-state': () => this.#printStates(),
    'report-unreachable': (args) => this.#node(args).raw.reportUnreachable(this.#node(args.slice(1)).id),
    'send-snapshot': (args) => this.#sendSnapshot(this.#node(args), this.#node(args.slice(1))),
    'set-randomized-election-timeout': (args) =>
      this.#node(args).setElectionTimeout(Number(valueOf(args, 'timeout'))),
    stabilize: (args) =>
      this.#output.atLevel(valueOf(args, 'log-level'), () => this.#cluster.stabilize(this.#nodes(args))),
    status: (args) => this.#printProgress(this.#node(args)),
    tick: (args) => this.#tick(this.#node(args), Number(args[1]?.key)),
    'tick-election': (args) => this.#tick(this.#node(args), this.#node(args).options.electionTick),
    'tick-heartbeat': (args) => this.#tick(this.#node(args), this.#node(args).options.heartbeatTick),
    'transfer-leadership': (args) =>
      this.#cluster.node(Number(valueOf(args, 'from'))).raw.transferLeader(Number(valueOf(args, 'to'))),
  };

  #runLine({ command, args }: CommandLine): void {
    const run = this.#commands[command];
    if (run === undefined) throw new Error('unknown command');
    run(args);
  }

  /** A refusal of the core is part of the transcript, printed even where all else is silent. A broken core is not. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Error) || isRaftError(error, 'RAFT_INVARIANT')) throw error;
      const text = isRaftError(error) ? etcdError(error) : error.message;
      this.#output.atLevel('DEBUG', () => this.#output.write(text));
    }
  }

  #proposeConfChange({ args, input }: Directive): void {
    const changes = parseChanges(input.join(' '));
    const transition = TRANSITIONS[valueOf(args, 'transition') ?? 'auto'];
    if (transition === undefined) throw new Error(`unknown transition ${valueOf(args, 'transition')}`);
    const isV1 = valueOf(args, 'v1') === 'true';
    if (isV1 && (changes.length > 1 || transition !== TRANSITIONS['auto']))
      throw new Error('v1 conf change can only have one operation and no transition');
    const context = new Uint8Array(0);
    const change = { transition, changes, context };
    this.#node(args).raw.proposeConfChange(change, isV1 ? 'EntryConfChange' : 'EntryConfChangeV2');
  }

  #deliver(args: readonly Argument[]): void {
    const type = valueOf(args, 'type') as MessageType | undefined;
    const kind = type === undefined ? {} : { type };
    const dropped = args.flatMap(({ key, values }) => (key === 'drop' ? values.map(Number) : []));
    const handled = [
      ...bareNumbers(args).map((to) => this.#cluster.deliver({ to, ...kind })),
      ...dropped.map((to) => this.#cluster.deliver({ to, ...kind, drop: true })),
    ];
    if (handled.every((count) => count === 0)) this.#output.writeLine('no messages');
  }

  #sendSnapshot(source: InteractionNode, target: InteractionNode): void {
    const { term } = source.raw.status();
    const snapshot = source.storage.snapshot();
    const sent = message({ type: 'MsgSnap', term, from: source.id, to: target.id, snapshot });
    this.#cluster.send(sent);
    this.#output.write(describeMessage(sent));
  }

  #tick(node: InteractionNode, times: number): void {
    for (let i = 0; i < times; i++) node.raw.tick();
  }

  #printLog({ storage }: InteractionNode): void {
    const first = storage.firstIndex();
    const last = storage.lastIndex();
    if (last < first) this.#output.write(`log is empty: first index=${first}, last index=${last}`);
    else
      for (const entry of storage.entries(first, last + 1, Infinity))
        this.#output.writeLine(describeEntry(entry));
  }

  #printProgress({ raw }: InteractionNode): void {
    for (const progress of raw.status().progress)
      this.#output.writeLine(`${progress.id}: ${describeProgress(progress)}`);
  }

  #printStates(): void {
    for (const { id, raw } of this.#cluster.nodes) {
      const { raftState, term, lead, confState } = raw.status();
      const isVoter = [...confState.voters, ...confState.votersOutgoing].includes(id);
      this.#output.writeLine(
        `${id}: ${raftState} (${isVoter ? 'Voter' : 'Non-Voter'}) Term:${term} Lead:${lead}`,
      );
    }
  }

  #each(args: readonly Argument[], activity: string, work: (node: InteractionNode) => void): void {
    const nodes = bareNumbers(args).map((id) => this.#cluster.node(id));
    for (const node of nodes)
      if (nodes.length === 1) work(node);
      else this.#output.section(`> ${node.id} ${activity}`, () => work(node));
  }

  #node(args: readonly Argument[]): InteractionNode {
    return this.#cluster.node(Number(args[0]?.key));
  }

  /** Those named, or all. */
  #nodes(args: readonly Argument[]): readonly InteractionNode[] {
    const ids = bareNumbers(args);
    return ids.length === 0 ? this.#cluster.nodes : ids.map((id) => this.#cluster.node(id));
  }
}

function valueOf(args: readonly Argument[], key: string): string | undefined {
  return args.find((arg) => arg.key === key)?.values[0];
}

function bareNumbers(args: readonly Argument[]): number[] {
  return args.filter(({ values }) => values.length === 0).map(({ key }) => Number(key));
}
