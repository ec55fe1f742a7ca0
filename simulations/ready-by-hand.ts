/** @module The surroundings of a ReadyHandler in a scenario, where they do not matter. */
import type { ReadyEvents, ReadyHandlerComponents } from '../src/metadata/ready-handler.ts';

export const IGNORING_APPLIER: ReadyHandlerComponents['applier'] = {
  enqueue: () => Promise.resolve(),
  drained: () => Promise.resolve(),
};

export const IGNORED_EVENTS: ReadyEvents = {
  softState: () => {},
  entries: () => {},
  readState: () => {},
  restored: () => {},
  late: (work) => work(),
};
