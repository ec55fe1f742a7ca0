/** @module The process: signals and pipes become an AbortSignal, the status becomes the exit code. */
import { interrupted, outputFailure } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { countBuffersApart } from './garbage-collection.ts';
import { runCli } from './run-cli.ts';
import { processTerminal } from './terminal.ts';

/** One ctrl-C may arrive twice, from the terminal and from npm: only what comes later is a second one. */
const REPEAT_MS = 1_000;

countBuffersApart();
const controller = new AbortController();
let firstSignalMs = Number.POSITIVE_INFINITY;

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // The second time it is meant: no more cleaning up.
    if (performance.now() - firstSignalMs > REPEAT_MS) process.exit(EXIT.interrupted);
    if (controller.signal.aborted) return;
    firstSignalMs = performance.now();
    controller.abort(interrupted(name));
  });
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => controller.abort(outputFailure(error)));
}

const status = await runCli({ terminal: processTerminal() }, process.argv.slice(2), {
  signal: controller.signal,
});
await flushed(process.stdout);
process.exit(status);

/** Pipes are written asynchronously: what was printed must have left before the process goes. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('close', resolve);
    stream.write('', () => resolve());
  });
}
