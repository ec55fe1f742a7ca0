/** @module Routers that open ports, as small as they come: one that speaks UPnP, one that speaks NAT-PMP. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OpenPort {
  readonly host: string;
  readonly port: number;
  readonly seconds: number;
}

/** By outer port. */
export type OpenPorts = Map<number, OpenPort>;

export interface FakeGateway {
  readonly open: OpenPorts;
  /** What it was asked for, in order. */
  readonly asked: readonly string[];
  readonly port: number;
  stop(): Promise<void>;
}

const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1';

export interface FakeIgdOptions {
  readonly outerAddress: string;
  readonly listenHost: string;
  /** Only for leases without an end, as some are. */
  readonly permanentOnly?: boolean;
  /** It says that it is to be asked there. */
  readonly controlUrl?: string;
  /** It opens no more than these. */
  readonly maxPorts?: number;
  /** Called after each change. */
  readonly changed?: () => Promise<void>;
}

/** The SOAP side of an Internet Gateway Device; its description is at /device.xml. */
export async function startIgd(options: FakeIgdOptions): Promise<FakeGateway> {
  const open: OpenPorts = new Map();
  const asked: string[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const action = /#(\w+)"/.exec(String(request.headers['soapaction']))?.[1];
    asked.push(action ?? 'description');
    const [status, text] =
      action === undefined ? [200, deviceXml(options)] : act(action, body, open, options);
    await options.changed?.();
    response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
  });
  server.listen(0, options.listenHost);
  await once(server, 'listening');
  return {
    open,
    asked,
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function deviceXml({ controlUrl = '/control' }: FakeIgdOptions): string {
  const service = `<serviceType>${SERVICE}</serviceType><controlURL>${controlUrl}</controlURL>`;
  return `<?xml version="1.0"?><root><device><serviceList><service>${service}</service></serviceList></device></root>`;
}

function act(
  action: string,
  body: string,
  open: OpenPorts,
  { outerAddress, permanentOnly = false, maxPorts = 100 }: FakeIgdOptions,
): readonly [number, string] {
  const field = (name: string): string => new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1] ?? '';
  const port = Number(field('NewExternalPort'));
  const host = field('NewInternalClient');
  const seconds = Number(field('NewLeaseDuration'));
  if (action === 'GetExternalIPAddress')
    return answer(action, `<NewExternalIPAddress>${outerAddress}</NewExternalIPAddress>`);
  if (field('NewProtocol') !== 'TCP') return fault(402, 'Invalid Args');
  if (action === 'DeletePortMapping')
    return open.delete(port) ? answer(action, '') : fault(714, 'NoSuchEntry');
  if (permanentOnly && seconds > 0) return fault(725, 'OnlyPermanentLeasesSupported');
  const present = open.get(port);
  if (present !== undefined && present.host !== host) return fault(718, 'ConflictInMappingEntry');
  if (open.size >= maxPorts) return fault(728, 'NoPortMapsAvailable');
  open.set(port, { host, port: Number(field('NewInternalPort')), seconds });
  return answer(action, '');
}

function answer(action: string, fields: string): readonly [number, string] {
  return [
    200,
    `<s:Envelope><s:Body><u:${action}Response>${fields}</u:${action}Response></s:Body></s:Envelope>`,
  ];
}

function fault(code: number, description: string): readonly [number, string] {
  const error = `<UPnPError><errorCode>${code}</errorCode><errorDescription>${description}</errorDescription></UPnPError>`;
  return [500, `<s:Envelope><s:Body><s:Fault><detail>${error}</detail></s:Fault></s:Body></s:Envelope>`];
}

/** Answers every second datagram only: the others are lost. */
export async function startNatPmp(outerAddress: string): Promise<FakeGateway> {
  const open: OpenPorts = new Map();
  const asked: string[] = [];
  const socket: Socket = createSocket('udp4');
  let count = 0;
  socket.on('message', (request, { address, port }) => {
    count += 1;
    if (count % 2 === 1) return;
    const operation = request.readUInt8(1);
    asked.push(String(operation));
    const response = Buffer.alloc(operation === 0 ? 12 : 16);
    response.writeUInt8(operation + 128, 1);
    if (operation === 0) Buffer.from(outerAddress.split('.').map(Number)).copy(response, 8);
    else {
      const localPort = request.readUInt16BE(4);
      const seconds = request.readUInt32BE(8);
      const outer = seconds === 0 ? 0 : localPort + 1;
      if (seconds === 0) open.delete(localPort + 1);
      else open.set(outer, { host: address, port: localPort, seconds });
      response.writeUInt16BE(localPort, 8);
      response.writeUInt16BE(outer, 10);
      response.writeUInt32BE(seconds, 12);
    }
    socket.send(response, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    open,
    asked,
    port: socket.address().port,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
