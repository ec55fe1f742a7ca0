/** @module Registers: read, write, and compare-and-set; each key is one of its own. */
import { type RegisterCall, type RegisterValue, registerKey } from './register-call.ts';
import type { Model } from './model.ts';
import type { Effect } from './placed-operation.ts';
import { foreseeRegister } from './register-foresight.ts';

export function registerModel(first: RegisterValue = null): Model<RegisterValue, RegisterCall> {
  return {
    part: ({ key }) => key,
    initial: () => first,
    step,
    stateKey: registerKey,
    effect,
    describe,
    foresee: (operations) => foreseeRegister(operations),
  };
}

function step(state: RegisterValue, call: RegisterCall): RegisterValue | undefined {
  switch (call.kind) {
    case 'read':
      return call.value === undefined || call.value === state ? state : undefined;
    case 'write':
      return call.value;
    case 'cas': {
      const isEqual = state === call.from;
      if (call.isDone !== undefined && call.isDone !== isEqual) return undefined;
      return isEqual ? call.to : state;
    }
  }
}

function effect(call: RegisterCall): Effect {
  switch (call.kind) {
    case 'read':
      return 'reads';
    case 'write':
      return 'replaces';
    case 'cas':
      return call.isDone === false ? 'reads' : 'depends';
  }
}

function describe(call: RegisterCall): string {
  switch (call.kind) {
    case 'read':
      return `read ${call.value === undefined ? '?' : show(call.value)}`;
    case 'write':
      return `write ${show(call.value)}`;
    case 'cas': {
      const outcome = call.isDone === undefined ? '?' : call.isDone ? 'done' : 'refused';
      return `cas ${show(call.from)} to ${show(call.to)} ${outcome}`;
    }
  }
}

function show(value: RegisterValue): string {
  return JSON.stringify(value);
}
