/** @module The verdict on the histories that the clients wrote: that of the checker, as a program of its own. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { checkFailed } from '../errors.ts';
import { simulationWords } from '../simulation-program.ts';

export interface HistoryVerdict {
  readonly verdict: 'linearizable' | 'not-linearizable';
  readonly operations: number;
  /** Of what is not: the register or tree. */
  readonly part?: string;
  /** Of what is not: the smallest offending part as a picture (SVG). */
  readonly picture?: string;
}

/** A run of chaos takes minutes, and its verdict may. */
const SECONDS = '600';

interface Reported {
  readonly verdict?: HistoryVerdict['verdict'];
  readonly operations?: number;
  readonly part?: string;
  readonly error?: { readonly message: string };
}

/** Errors: CLI_NO_SIMULATIONS, CLI_CHECK_FAILED when the history is too hard or the checker dies. */
export async function judgeHistory(file: string, signal: AbortSignal): Promise<HistoryVerdict> {
  const picture = `${file}.svg`;
  const {
    verdict,
    operations = 0,
    part,
    error,
  } = await ask(['--json', '--seconds', SECONDS, '--picture', picture, file], signal, file);
  if (verdict === undefined) throw checkFailed(file, error?.message ?? 'the checker said nothing');
  if (verdict === 'linearizable') return { verdict, operations };
  return {
    verdict,
    operations,
    ...(part !== undefined && { part }),
    picture: await readFile(picture, 'utf8'),
  };
}

/** Its status tells the verdict, too; what counts is what it says. */
function ask(words: readonly string[], signal: AbortSignal, file: string): Promise<Reported> {
  const [program, ...first] = simulationWords('check-history');
  return new Promise((resolve, reject) => {
    execFile(program, [...first, ...words], { signal, killSignal: 'SIGKILL' }, (failure, stdout, stderr) => {
      if (stdout.startsWith('{')) resolve(JSON.parse(stdout) as Reported);
      else reject(signal.aborted ? signal.reason : checkFailed(file, stderr || String(failure)));
    });
  });
}
