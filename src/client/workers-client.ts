/** @module The background workers of all nodes: look, pause, resume, a step now. */
import type { WorkersResponse } from '../protocol/messages.ts';
import { DATA_WORKER_CONTROL, DATA_WORKERS, META_WORKER_CONTROL, META_WORKERS } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';
import { askEach, membersWithRole, type NodeAnswer } from './cluster-nodes.ts';

export type WorkerRole = 'meta' | 'data';
export type WorkerAction = 'run' | 'pause' | 'resume';

export interface WorkerTarget extends OperationOptions {
  /** Member number; all nodes of the role when absent. */
  readonly node?: number | undefined;
}

export class WorkersClient {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  list(
    role: WorkerRole,
    { node, ...options }: WorkerTarget = {},
  ): Promise<readonly NodeAnswer<WorkersResponse>[]> {
    return this.#ask(role, node, options, (members) =>
      askEach(this.#context, members, role === 'data' ? DATA_WORKERS : META_WORKERS, {}, options),
    );
  }

  /** A node without that worker, or one that may not be paused, answers with PROTOCOL_NO_SUCH_WORKER or PROTOCOL_NOT_PAUSABLE. */
  control(
    role: WorkerRole,
    name: string,
    action: WorkerAction,
    { node, ...options }: WorkerTarget = {},
  ): Promise<readonly NodeAnswer<WorkersResponse>[]> {
    const method = role === 'data' ? DATA_WORKER_CONTROL : META_WORKER_CONTROL;
    return this.#ask(role, node, options, (members) =>
      askEach(this.#context, members, method, { name, action }, options),
    );
  }

  async #ask<T>(
    role: WorkerRole,
    node: number | undefined,
    options: OperationOptions,
    ask: (members: Awaited<ReturnType<typeof membersWithRole>>) => Promise<T>,
  ): Promise<T> {
    const members = await membersWithRole(this.#context, role, options);
    return ask(members.filter(({ number }) => node === undefined || number === node));
  }
}
