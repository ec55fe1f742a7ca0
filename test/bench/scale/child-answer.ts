/** @module What a child process says next; that it ended instead is an error, and not waited for in vain. */
import type { ChildProcess } from 'node:child_process';

/** Order: call before anything is sent that it may answer. */
export function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void =>
      reject(new Error(`The child process ended (${signal ?? code}) and did not answer.`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as T);
    });
  });
}
