/**
 * @module Named pipes of this machine, opened as sockets: whoever is at the other end may keep us waiting for ever, and a thread that
 * waits for them in the kernel would not let the process end.
 */
import { close, closeSync, constants, open, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { promisify } from 'node:util';

const VISIT_PERIOD_MS = 10;

/** Opens the pipe when somebody is at its other end. When `signal` fires, it is destroyed. Rejects with system errors, and the signal's reason. */
export async function openPipe(path: string, mode: 'read' | 'write', signal: AbortSignal): Promise<Socket> {
  const [own, other] =
    mode === 'read' ? [constants.O_RDONLY, constants.O_WRONLY] : [constants.O_WRONLY, constants.O_RDONLY];
  signal.throwIfAborted();
  // A thread waits until there is another end; for a moment, we are that. Again, as it may not have begun to wait.
  let visits: NodeJS.Timeout | undefined;
  const callBack = (): void => {
    visit(path, other | constants.O_NONBLOCK);
    visits = setInterval(visit, VISIT_PERIOD_MS, path, other | constants.O_NONBLOCK);
  };
  signal.addEventListener('abort', callBack, { once: true });
  let fd: number;
  try {
    fd = await promisify(open)(path, own);
  } finally {
    clearInterval(visits);
    signal.removeEventListener('abort', callBack);
  }
  if (signal.aborted) {
    await promisify(close)(fd);
    throw signal.reason;
  }
  const socket = new Socket({ fd, readable: mode === 'read', writable: mode === 'write' });
  // Whoever reads or writes just then is told by that.
  socket.on('error', () => {});
  return addAbortSignal(signal, socket);
}

/** Resolves when `chunk` may be used anew. Rejects when the reader went away. */
export function writeToPipe(pipe: Socket, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    pipe.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

function visit(path: string, flags: number): void {
  try {
    closeSync(openSync(path, flags));
  } catch {
    // Nobody waits there any more.
  }
}
