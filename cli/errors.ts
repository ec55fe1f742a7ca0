/** @module What the command itself has to complain about. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { HoldfastError } from '../src/common/errors.ts';

export function usage(message: string): HoldfastError {
  return new HoldfastError({ code: 'CLI_USAGE', kind: 'refused', message });
}

/** A name as of a variable that is not set: it would mean the working directory. */
export function noEmptyName(): HoldfastError {
  return usage(
    'An empty name was given for a file or directory of this machine. The working directory is ".".',
  );
}

/** The reason of the run's signal after ctrl-C or SIGTERM. */
export function interrupted(signal: string): HoldfastError {
  return new HoldfastError({
    code: 'CLI_INTERRUPTED',
    kind: 'unavailable',
    message: `Stopped by ${signal}.`,
    facts: { signal },
  });
}

/** The reason of the run's signal when the reader of standard output went away. */
export function outputClosed(): HoldfastError {
  return new HoldfastError({
    code: 'CLI_OUTPUT_CLOSED',
    kind: 'unavailable',
    message: 'The reader of standard output went away.',
  });
}

/** Standard output that failed: CLI_OUTPUT_CLOSED for a pipe that nobody reads, else CLI_LOCAL_FAILED, as of a full disk. */
export function outputFailure(cause: unknown): HoldfastError {
  return systemCode(cause) === 'EPIPE' ? outputClosed() : localFailure('write', 'standard output', cause);
}

/** A file of this machine that could not be used. `action` is a verb: "read", "write". */
export function localFailure(action: string, path: string, cause: unknown): HoldfastError {
  const reason = systemCode(cause);
  return new HoldfastError({
    code: reason === 'ENOENT' ? 'CLI_LOCAL_NOT_FOUND' : 'CLI_LOCAL_FAILED',
    kind: 'refused',
    message:
      reason === 'ENOENT'
        ? `Cannot ${action} ${path} on this machine: there is ${whatIsMissing(action, path)}.`
        : `Cannot ${action} ${path} on this machine (${reason}). Check its mode and the disk.`,
    facts: { path, reason },
    cause,
  });
}

export function localExists(path: string): HoldfastError {
  return new HoldfastError({
    code: 'CLI_LOCAL_EXISTS',
    kind: 'refused',
    message: `${path} on this machine is in the way: it is of another kind. Remove it or name another target.`,
    facts: { path },
  });
}

export function needsRecursive(command: string, path: string): HoldfastError {
  return new HoldfastError({
    code: 'CLI_NEEDS_RECURSIVE',
    kind: 'refused',
    message: `${path} is a directory. Use "holdfast ${command} -r" to take it with everything in it.`,
    facts: { path },
  });
}

/** NAMESPACE_NOT_A_DIRECTORY, found out before the cluster was asked to write. `kind`: what is there; undefined for nothing. */
export function notADirectory(path: string, kind: string | undefined): HoldfastError {
  return new HoldfastError({
    code: 'NAMESPACE_NOT_A_DIRECTORY',
    kind: 'refused',
    message:
      kind === undefined
        ? `There is no directory ${path}, and the command needs one there. Make it with "holdfast mkdir -p ${path}".`
        : `${path} is a ${kind}, and the command needs a directory there. Name another target.`,
    facts: { path },
  });
}

/** NAMESPACE_NOT_FOUND of a directory on the way to something new: the namespace cannot know the command's option. */
export function noParent(path: string, cause: HoldfastError): HoldfastError {
  const missing = String(cause.facts['path'] ?? path);
  return new HoldfastError({
    code: 'NAMESPACE_NOT_FOUND',
    kind: 'refused',
    message: `There is no directory ${missing} to hold ${path}. Add --parents to make it on the way.`,
    facts: { path: missing },
    cause,
  });
}

/** Some of many went wrong; each was reported already. */
export function partlyFailed(failed: number, total: number): HoldfastError {
  return new HoldfastError({
    code: 'CLI_PARTLY_FAILED',
    kind: 'unavailable',
    message: `${failed} of ${total} failed, each with its reason above; the others are done. Put that right and run the same command for the rest.`,
    facts: { failed, total },
  });
}

/** `cluster status` found a check that fails. */
export function unhealthy(checks: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'CLI_UNHEALTHY',
    kind: 'unavailable',
    message: `The cluster needs attention: ${checks.join(', ')}.`,
    facts: { checks },
  });
}

export function demoFailed(step: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'CLI_DEMO_FAILED',
    kind: 'broken',
    message: `The demo failed at "${step}": ${reason}`,
    facts: { step },
    cause,
  });
}

/** The package was installed without them. `path`: where they would be. */
export function noSimulations(path: string): HoldfastError {
  return new HoldfastError({
    code: 'CLI_NO_SIMULATIONS',
    kind: 'refused',
    message: `This installation does not carry the simulations: ${path} has none. Run the command from a clone of the repository (npm ci && npm run build).`,
    facts: { path },
  });
}

/** The simulation itself came to grief, not a cluster in it. */
export function simulationFailed(tail: string): HoldfastError {
  return new HoldfastError({
    code: 'CLI_SIMULATION_FAILED',
    kind: 'broken',
    message: `The simulation ended before its seeds did: nothing is known of those that were left. Its last words:\n${tail.trimEnd()}`,
  });
}

export function seedsFailed(failed: number, total: number): HoldfastError {
  return new HoldfastError({
    code: 'CLI_SEEDS_FAILED',
    kind: 'broken',
    message: `${failed} of ${total} seeds failed: a promise of the cluster did not hold. Replay one with the command above, add --shrink to make it small, and report it.`,
    facts: { failed, total },
  });
}

/** The checker of histories came to grief. */
export function checkFailed(file: string, reason: string): HoldfastError {
  return new HoldfastError({
    code: 'CLI_CHECK_FAILED',
    kind: 'broken',
    message: `No verdict on the history ${file}: ${reason}`,
    facts: { file },
  });
}

export function chaosFailed(violations: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'CLI_CHAOS_FAILED',
    kind: 'broken',
    message: `${violations.length} promises of the cluster did not hold. The first: ${violations[0] ?? ''}`,
    facts: { violations: violations.slice(0, 20) },
  });
}

/** A child process of the demo or of a test ended or stayed silent when it should have run. */
export function nodeProcessFailed(name: string, reason: string, tail: string): HoldfastError {
  return new HoldfastError({
    code: 'CLI_NODE_PROCESS_FAILED',
    kind: 'broken',
    message: `Node process ${name} ${reason}. Its last words:\n${tail}`,
    facts: { name },
  });
}

function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}

function whatIsMissing(action: string, path: string): string {
  // What is about to be written need not be there; its directory must.
  const directory = dirname(path);
  if (action === 'write' && existsSync(directory))
    return `a directory ${directory}, but no file can be made in it; name another`;
  if (action === 'write') return `no directory ${directory}; make it first`;
  // The system's name was other bytes, which became U+FFFD when they were read as text.
  if (path.includes('\uFFFD'))
    return 'no such name in UTF-8, and only such names can be stored; rename it first';
  return 'no such file or directory';
}

/** No node did what was asked of its worker. */
export function workersFailed(
  worker: string,
  action: string,
  failed: readonly { readonly node: number; readonly code: string; readonly message: string }[],
): HoldfastError {
  const reasons = failed.map(({ node, message }) => `node ${node}: ${message}`).join('; ');
  return new HoldfastError({
    code: failed[0]?.code ?? 'CLI_NO_SUCH_WORKER',
    kind: failed.length === 0 ? 'refused' : 'unavailable',
    message: `Cannot ${action} "${worker}": ${reasons || 'no node has such a worker. See "holdfast worker list"'}.`,
    facts: { worker, action },
  });
}

/** What fsck found, by kind. */
export function filesUnhealthy(found: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'CLI_UNHEALTHY',
    kind: 'unavailable',
    message: `Not all files are healthy: ${found.join(', ')}. See "holdfast explain PATH" for one of them, "holdfast cluster status" for what is under way.`,
    facts: { found },
  });
}
