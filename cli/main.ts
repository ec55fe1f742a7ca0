/** @module The process: signals and pipes become an AbortSignal, the status becomes the exit code. */
import { interrupted, outputClosed } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { runCli } from './run-cli.ts';
import { processTerminal } from './terminal.ts';

const controller = new AbortController();

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // The second time it is meant: no more cleaning up.
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(interrupted(name));
  });
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort(outputClosed());
  });
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
