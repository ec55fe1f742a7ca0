/** @module SSDP (UPnP Device Architecture §1.3): a question by multicast, to which routers answer with where they describe themselves. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const GROUP = '239.255.255.250';
const PORT = 1900;
/** Devices of version 2 answer for version 1, too. */
const TARGET = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';
/** Within so many seconds devices answer, each after a moment of its own. */
const ANSWER_SECONDS = 2;
const SEARCH_MS = 3_000;
const REPEAT_MS = 1_000;
/** Gateways of one network that are looked at. */
const MAX_FOUND = 8;
/** A datagram may be lost on its way out, too. */
const QUESTION = [
  'M-SEARCH * HTTP/1.1',
  `HOST: ${GROUP}:${PORT}`,
  'MAN: "ssdp:discover"',
  `MX: ${ANSWER_SECONDS}`,
  `ST: ${TARGET}`,
  '',
  '',
].join('\r\n');

/** Where they describe themselves, each once. Ends after SEARCH_MS; whoever names another machine than its own is left out. */
export async function* searchGateways(signal: AbortSignal): AsyncGenerator<URL> {
  const socket = createSocket('udp4');
  const limited = AbortSignal.any([signal, AbortSignal.timeout(SEARCH_MS)]);
  const found: URL[] = [];
  let wake = Promise.withResolvers<void>();
  const onError = Promise.withResolvers<never>();
  onError.promise.catch(() => undefined);
  socket.on('error', onError.reject);
  socket.on('message', (message, { address }) => {
    const location = locationIn(message.toString('latin1'), address);
    if (location === undefined || found.length >= MAX_FOUND) return;
    if (found.some(({ href }) => href === location.href)) return;
    found.push(location);
    wake.resolve();
  });
  const ask = (): void => socket.send(QUESTION, PORT, GROUP);
  socket.bind(0);
  await Promise.race([once(socket, 'listening'), onError.promise]);
  const timer = setInterval(ask, REPEAT_MS);
  const onAbort = (): void => wake.resolve();
  limited.addEventListener('abort', onAbort, { once: true });
  try {
    ask();
    for (let next = 0; ; ) {
      const location = found[next];
      if (location !== undefined) {
        next += 1;
        yield location;
      } else if (limited.aborted) return;
      else {
        wake = Promise.withResolvers();
        await Promise.race([wake.promise, onError.promise]);
      }
    }
  } finally {
    clearInterval(timer);
    limited.removeEventListener('abort', onAbort);
    socket.close();
  }
}

function locationIn(message: string, sender: string): URL | undefined {
  if (!message.startsWith('HTTP/1.1 200') || !message.includes('InternetGatewayDevice')) return undefined;
  const text = /^location:\s*(\S+)/im.exec(message)?.[1] ?? '';
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' && url.hostname === sender ? url : undefined;
}
