/** @module Which handler serves what. */
import { assert } from '../common/errors.ts';
import type { ChannelHandler, NoticeHandler, RequestHandler, TrafficClass } from './network.ts';

export class HandlerTable {
  readonly #requests = new Map<string, RequestHandler>();
  readonly #notices = new Map<string, NoticeHandler>();
  readonly #channels = new Map<string, ChannelHandler>();

  addRequest(trafficClass: TrafficClass, method: string, handler: RequestHandler): void {
    add(this.#requests, `${trafficClass}/${method}`, handler);
  }

  addNotice(trafficClass: TrafficClass, method: string, handler: NoticeHandler): void {
    add(this.#notices, `${trafficClass}/${method}`, handler);
  }

  addChannel(method: string, handler: ChannelHandler): void {
    add(this.#channels, method, handler);
  }

  request(trafficClass: TrafficClass, method: string): RequestHandler | undefined {
    return this.#requests.get(`${trafficClass}/${method}`);
  }

  notice(trafficClass: TrafficClass, method: string): NoticeHandler | undefined {
    return this.#notices.get(`${trafficClass}/${method}`);
  }

  channel(method: string): ChannelHandler | undefined {
    return this.#channels.get(method);
  }
}

function add<Handler>(handlers: Map<string, Handler>, key: string, handler: Handler): void {
  assert(!handlers.has(key), `${key} has one handler`);
  handlers.set(key, handler);
}
