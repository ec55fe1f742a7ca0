/** @module The simulations are programs of their own: nothing that ships imports them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { noSimulations } from './errors.ts';
import { PACKAGE } from './package-root.ts';

/**
 * Words that start a program of simulations/ by its name (in a clone its source, installed its built twin): program, then
 * arguments. Throws CLI_NO_SIMULATIONS where the installed package does not carry it.
 */
export function simulationWords(name: string): readonly [string, ...string[]] {
  const script = [
    join(PACKAGE.root, 'simulations', `${name}.ts`),
    join(PACKAGE.root, 'dist', 'simulations', `${name}.js`),
  ].find((path) => existsSync(path));
  if (script === undefined) throw noSimulations(PACKAGE.root);
  return [process.execPath, '--disable-warning=ExperimentalWarning', script];
}
