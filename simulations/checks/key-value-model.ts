/** @module A key-value store with get, put and append; a key that was never put holds the empty string. */
import type { KeyValueCall } from './key-value-call.ts';
import { foreseeKeyValue } from './key-value-foresight.ts';
import type { Model } from './model.ts';
import type { Effect } from './placed-operation.ts';

const EFFECTS: Readonly<Record<KeyValueCall['kind'], Effect>> = {
  get: 'reads',
  put: 'replaces',
  append: 'extends',
};

export const keyValueModel: Model<string, KeyValueCall> = {
  part: ({ key }) => key,
  initial: () => '',
  step,
  stateKey: (state) => state,
  effect: ({ kind }) => EFFECTS[kind],
  describe: ({ kind, value }) => `${kind} ${value === undefined ? '?' : JSON.stringify(value)}`,
  foresee: foreseeKeyValue,
};

function step(state: string, call: KeyValueCall): string | undefined {
  switch (call.kind) {
    case 'get':
      return call.value === undefined || call.value === state ? state : undefined;
    case 'put':
      return call.value;
    case 'append':
      return state + call.value;
  }
}
