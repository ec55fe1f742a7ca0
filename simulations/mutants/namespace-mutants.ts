/** @module Bugs of the state machine. */
import type { Mutant } from './mutant.ts';

export const NAMESPACE_MUTANTS: readonly Mutant[] = [
  {
    name: 'answers-left-out-of-snapshots',
    bug: 'S34',
    scenario: 'answers-travel-in-snapshots',
    swarm: 'cluster',
    file: 'src/storage/memory-row-store.ts',
    find: 'for (const [table, values] of this.#tables)\n',
    replace: "for (const [table, values] of this.#tables) if (table !== 'result')\n",
  },
  {
    name: 'retries-done-again',
    bug: 'S34',
    scenario: 'retried-command-answers-again',
    swarm: 'cluster',
    file: 'src/namespace/run-command.ts',
    find: 'if (stored !== undefined) return stored;',
    replace: '',
  },
  {
    name: 'refusal-stops-the-machine',
    bug: 'S35',
    scenario: 'refusal-is-an-answer',
    swarm: 'cluster',
    file: 'src/namespace/run-command.ts',
    find: "if (!(error instanceof HoldfastError) || error.kind !== 'refused') throw error;",
    replace: 'if (!(error instanceof HoldfastError) || view.cluster !== undefined) throw error;',
  },
];
