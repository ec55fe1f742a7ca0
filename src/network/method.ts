/** @module Typed methods over the untyped Network: a name, a class, and the codecs of both bodies. */
import { encodeMessage, type MessageEncoder } from '../common/encode-message.ts';
import { unreadable } from './errors.ts';
import type { CallOptions, Network, PeerId, TrafficClass } from './network.ts';

/** The shape ts-proto gives each message. */
export interface Codec<T> extends MessageEncoder<T> {
  decode(bytes: Uint8Array): T;
}

export interface Method<Request, Response> {
  readonly name: string;
  readonly trafficClass: TrafficClass;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

export interface Notice<Body> {
  readonly name: string;
  readonly trafficClass: TrafficClass;
  readonly body: Codec<Body>;
}

/** Who asked, and until when an answer is of use. */
export interface CallContext {
  readonly peer: PeerId;
  readonly signal: AbortSignal;
}

export async function call<Request, Response>(
  network: Network,
  peer: PeerId,
  method: Method<Request, Response>,
  request: Request,
  options?: CallOptions,
): Promise<Response> {
  const body = encodeMessage(method.request, request);
  return method.response.decode(await network.request(peer, method.trafficClass, method.name, body, options));
}

export function serve<Request, Response>(
  network: Network,
  method: Method<Request, Response>,
  handler: (request: Request, context: CallContext) => Promise<Response>,
): void {
  // The request itself is the context: its signal costs nothing until somebody reads it.
  network.onRequest(method.trafficClass, method.name, async (request) =>
    encodeMessage(method.response, await handler(read(method, request.body), request)),
  );
}

/** NETWORK_UNREADABLE: an error of another kind would be taken for a fault of the handler, and fill the log with its trace. */
function read<Request>({ name, request }: Method<Request, unknown>, body: Uint8Array): Request {
  try {
    return request.decode(body);
  } catch (cause) {
    throw unreadable(name, cause);
  }
}
