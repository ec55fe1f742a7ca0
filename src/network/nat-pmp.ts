/** @module NAT-PMP (RFC 6886): two small datagrams to the router, and it lets connections in. Routers that speak PCP answer it, too. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describeError } from '../common/errors.ts';
import { gatewayRefused } from './errors.ts';
import { type Gateway, MAPPING_SECONDS, type PortMapping } from './gateway.ts';

const PORT = 5351;
const VERSION = 0;
const EXTERNAL_ADDRESS = 0;
const MAP_TCP = 2;
/** Added to the operation in its answer. */
const IS_ANSWER = 128;
/** §3.1: the first pause; each further one is twice as long. Most routers answer at once or never. */
const FIRST_PAUSE_MS = 250;
const ATTEMPTS = 4;
/** §3.5. */
const RESULTS = [
  '',
  'unsupported version',
  'not authorised',
  'network failure',
  'out of resources',
  'unsupported',
];
/** Linux: the kernel's routes, addresses in hex and in the byte order of the machine. */
const ROUTES = '/proc/net/route';
const TO_EVERYWHERE = '00000000';
const OVER_A_GATEWAY = 2;

/** The router of the default route, if it answers. */
export async function findNatPmp(signal: AbortSignal): Promise<Gateway> {
  const router = await defaultRouter();
  if (router === undefined)
    throw gatewayRefused('say who it is', 'this machine has no default route over one');
  return openNatPmp(router, signal);
}

/** The router at an IPv4 address, if it answers. */
export async function openNatPmp(router: string, signal: AbortSignal, port: number = PORT): Promise<Gateway> {
  const gateway = new NatPmp(router, port);
  await gateway.externalAddress(signal);
  return gateway;
}

class NatPmp implements Gateway {
  readonly name: string;
  readonly #router: string;
  readonly #port: number;

  constructor(router: string, port: number) {
    this.#router = router;
    this.#port = port;
    this.name = `NAT-PMP ${router}`;
  }

  async externalAddress(signal: AbortSignal): Promise<string> {
    const answer = await this.#ask(Buffer.from([VERSION, EXTERNAL_ADDRESS]), 12, 'say its address', signal);
    return answer.subarray(8, 12).join('.');
  }

  async map(localPort: number, signal: AbortSignal): Promise<PortMapping> {
    const host = await this.externalAddress(signal);
    const answer = await this.#request(localPort, localPort, MAPPING_SECONDS, signal);
    return { localPort, host, port: answer.readUInt16BE(10), lifetimeSeconds: answer.readUInt32BE(12) };
  }

  /** §3.4: a lifetime and an outer port of 0. */
  async unmap({ localPort }: PortMapping, signal: AbortSignal): Promise<void> {
    await this.#request(localPort, 0, 0, signal);
  }

  #request(localPort: number, port: number, seconds: number, signal: AbortSignal): Promise<Buffer> {
    const request = Buffer.alloc(12);
    request.writeUInt8(MAP_TCP, 1);
    request.writeUInt16BE(localPort, 4);
    request.writeUInt16BE(port, 6);
    request.writeUInt32BE(seconds, 8);
    return this.#ask(request, 16, `map TCP port ${localPort}`, signal);
  }

  async #ask(request: Buffer, size: number, tried: string, signal: AbortSignal): Promise<Buffer> {
    const socket = createSocket('udp4');
    // Of nobody there the waits below hear by themselves.
    socket.on('error', () => undefined);
    try {
      socket.connect(this.#port, this.#router);
      await once(socket, 'connect', { signal });
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        socket.send(request);
        const limited = AbortSignal.any([signal, AbortSignal.timeout(FIRST_PAUSE_MS * 2 ** attempt)]);
        try {
          const [answer] = (await once(socket, 'message', { signal: limited })) as [Buffer];
          return checked(answer, request.readUInt8(1), size, tried);
        } catch (error) {
          signal.throwIfAborted();
          if (!limited.aborted) throw error;
        }
      }
    } finally {
      socket.close();
    }
    throw gatewayRefused(tried, `${this.#router} does not answer NAT-PMP`);
  }
}

function checked(answer: Buffer, operation: number, size: number, tried: string): Buffer {
  const isAnswer = answer.byteLength >= 4 && answer[1] === operation + IS_ANSWER;
  const result = isAnswer ? answer.readUInt16BE(2) : undefined;
  if (result === 0 && answer.byteLength >= size) return answer;
  throw gatewayRefused(tried, result ? (RESULTS[result] ?? `result ${result}`) : 'its answer makes no sense');
}

/** IPv4 address of the next hop to everywhere; undefined where there is none, or the system does not say. */
async function defaultRouter(): Promise<string | undefined> {
  let table: string;
  try {
    table = await readFile(ROUTES, 'utf8');
  } catch (cause) {
    throw gatewayRefused('say who it is', `this system does not name it (${describeError(cause)})`, cause);
  }
  for (const line of table.split('\n').slice(1)) {
    const [, destination, gateway = '', flags = '0'] = line.split('\t');
    if (destination === TO_EVERYWHERE && (Number.parseInt(flags, 16) & OVER_A_GATEWAY) !== 0)
      return [...Buffer.from(gateway, 'hex')].toReversed().join('.');
  }
  return undefined;
}
