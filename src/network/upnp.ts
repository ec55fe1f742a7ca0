/**
 * @module UPnP's Internet Gateway Device (versions 1 and 2): found by multicast (ssdp.ts), asked by SOAP. Only what answers on
 * the machine that it was found on is believed.
 */
import { connect } from 'node:net';
import { once } from 'node:events';
import { gatewayRefused } from './errors.ts';
import { type Gateway, MAPPING_SECONDS, type PortMapping } from './gateway.ts';
import { searchGateways } from './ssdp.ts';

/** The services that map ports, on cable and on DSL; version 2 answers to the actions of version 1. */
const SERVICES = ['WANIPConnection:2', 'WANIPConnection:1', 'WANPPPConnection:1'];
const CALL_TIMEOUT_MS = 5_000;
const MAX_ANSWER_CHARACTERS = 256 * 1024;
/** Another machine has the port, by UPnP or by hand (WANIPConnection §2.4.16). */
const CONFLICT = ['718', '725'];
const ONLY_PERMANENT_LEASES = '725';
/** Outer ports tried when others have them. */
const MAX_PORTS = 8;
const DESCRIPTION = 'holdfast';

interface Control {
  readonly url: URL;
  readonly service: string;
  /** This machine, as the router sees it. */
  readonly localHost: string;
}

/** The first device that maps ports. */
export async function findUpnp(signal: AbortSignal): Promise<Gateway> {
  let last: unknown;
  for await (const location of searchGateways(signal)) {
    try {
      return await openUpnp(location, signal);
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  }
  throw gatewayRefused('show itself', 'no router answers UPnP', last);
}

/** The device that describes itself at `location`. */
export async function openUpnp(location: URL, signal: AbortSignal): Promise<Gateway> {
  return new Upnp(await controlOf(location, signal));
}

class Upnp implements Gateway {
  readonly name: string;
  readonly #control: Control;

  constructor(control: Control) {
    this.#control = control;
    this.name = `UPnP ${control.url.host}`;
  }

  async map(localPort: number, signal: AbortSignal): Promise<PortMapping> {
    const answer = await this.#call('GetExternalIPAddress', {}, signal);
    const host = valueOf(answer, 'NewExternalIPAddress');
    let lifetimeSeconds = MAPPING_SECONDS;
    for (let port = localPort, tries = 1; ; ) {
      try {
        await this.#call('AddPortMapping', this.#request(localPort, port, lifetimeSeconds), signal);
        return { localPort, host, port, lifetimeSeconds };
      } catch (error) {
        const code = error instanceof UpnpError ? error.code : '';
        if (!CONFLICT.includes(code) || tries >= MAX_PORTS) throw error;
        tries += 1;
        if (code === ONLY_PERMANENT_LEASES) lifetimeSeconds = 0;
        else port = port === 65_535 ? 1024 : port + 1;
      }
    }
  }

  async unmap({ port }: PortMapping, signal: AbortSignal): Promise<void> {
    const request = { NewRemoteHost: '', NewExternalPort: port, NewProtocol: 'TCP' };
    await this.#call('DeletePortMapping', request, signal);
  }

  #request(localPort: number, port: number, seconds: number): Readonly<Record<string, string | number>> {
    return {
      NewRemoteHost: '',
      NewExternalPort: port,
      NewProtocol: 'TCP',
      NewInternalPort: localPort,
      NewInternalClient: this.#control.localHost,
      NewEnabled: 1,
      NewPortMappingDescription: DESCRIPTION,
      NewLeaseDuration: seconds,
    };
  }

  async #call(
    action: string,
    values: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<string> {
    const { url, service } = this.#control;
    const fields = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`);
    const body =
      '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
      's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
      `<u:${action} xmlns:u="${service}">${fields.join('')}</u:${action}></s:Body></s:Envelope>`;
    const headers = { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${service}#${action}"` };
    const response = await fetch(url, { method: 'POST', headers, body, signal: limited(signal) });
    const text = await bounded(response);
    if (response.ok) return text;
    throw new UpnpError(
      action,
      valueOf(text, 'errorCode') || String(response.status),
      valueOf(text, 'errorDescription'),
    );
  }
}

/** The router understood and said no; its code decides what is tried next. */
class UpnpError extends Error {
  override readonly name = 'UpnpError';
  readonly code: string;

  constructor(action: string, code: string, description: string) {
    super(`The router refused ${action} with code ${code}: ${description || 'it does not say why'}.`);
    this.code = code;
  }
}

async function controlOf(location: URL, signal: AbortSignal): Promise<Control> {
  const text = await bounded(await fetch(location, { signal: limited(signal) }));
  const described = text.split('<service>').slice(1);
  for (const name of SERVICES) {
    const service = `urn:schemas-upnp-org:service:${name}`;
    const found = described.find((part) => valueOf(part, 'serviceType') === service);
    if (found === undefined) continue;
    const url = new URL(valueOf(found, 'controlURL'), valueOf(text, 'URLBase') || location);
    if (url.protocol !== 'http:' || url.hostname !== location.hostname)
      throw gatewayRefused('describe itself', `it names ${url.host}, which is not where it was found`);
    return { url, service, localHost: await localHostTowards(url, signal) };
  }
  throw gatewayRefused('describe itself', 'it maps no ports');
}

async function localHostTowards(url: URL, signal: AbortSignal): Promise<string> {
  const socket = connect({ host: url.hostname, port: Number(url.port || 80) });
  try {
    await once(socket, 'connect', { signal: limited(signal) });
    return socket.localAddress ?? '';
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

function limited(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_ANSWER_CHARACTERS) throw gatewayRefused('answer', 'its answer has no end');
  }
  return text;
}

/** The text of the first element `name`; these documents are flat enough for that. Empty where there is none. */
function valueOf(xml: string, name: string): string {
  return new RegExp(`<(?:\\w+:)?${name}[^>]*>([^<]*)<`).exec(xml)?.[1]?.trim() ?? '';
}
