/** @module Serves a runner's background workers to people: what each does, pause, resume, a step now. */
import type { WorkerRunner } from '../common/worker-runner.ts';
import { type Method, serve } from '../network/method.ts';
import type { Network, PeerId } from '../network/network.ts';
import { controlNotAllowed, noSuchWorker, notPausable } from './errors.ts';
import type { Empty, WorkerControlRequest, WorkersResponse } from './messages.ts';

export interface WorkerMethods {
  readonly list: Method<Empty, WorkersResponse>;
  readonly control: Method<WorkerControlRequest, WorkersResponse>;
}

/** Errors: PROTOCOL_NO_SUCH_WORKER, PROTOCOL_NOT_PAUSABLE, PROTOCOL_CONTROL_NOT_ALLOWED. */
export function serveWorkers(
  components: { readonly network: Network; readonly workers: WorkerRunner },
  methods: WorkerMethods,
  mayControl: (peer: PeerId) => boolean,
): void {
  const { network, workers } = components;
  serve(network, methods.list, async () => standings(workers));
  serve(network, methods.control, async (request, { peer }) => {
    if (!mayControl(peer)) throw controlNotAllowed(peer);
    await control(workers, request);
    return standings(workers);
  });
}

async function control(workers: WorkerRunner, { name, action }: WorkerControlRequest): Promise<void> {
  const names = workers.standings().map((worker) => worker.name);
  if (!names.includes(name)) throw noSuchWorker(name, names);
  if (action === 'run') workers.hurry(name);
  else if (!(await workers.setPaused(name, action === 'pause'))) throw notPausable(name);
}

function standings(workers: WorkerRunner): WorkersResponse {
  return {
    workers: workers
      .standings()
      .map(({ stuck, ...rest }) => ({ ...rest, stuck: stuck.code, stuckMessage: stuck.message })),
  };
}
