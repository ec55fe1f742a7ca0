/** @module Where commands find the node and the client of this machine. */
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addProfileOption, nodeDirectory } from '../../cli/options.ts';
import { processTerminal } from '../../cli/terminal.ts';

it('takes an empty variable for one that is not set: the working directory is no home of a node', () => {
  const surroundings = (value: string) => ({
    ...processTerminal(),
    env: { HOLDFAST_DIR: value, HOLDFAST_PROFILE: value },
  });
  const profile = (value: string): unknown =>
    addProfileOption(new Command(), surroundings(value)).opts()['profile'];
  expect([nodeDirectory(surroundings('/d')), profile('/p')]).toEqual(['/d', '/p']);
  expect(nodeDirectory(surroundings(''))).toMatch(/\.holdfast\/node$/);
  expect(profile('')).toMatch(/\.holdfast\/client$/);
});
