/** @module Which handler serves what. */
import { assert } from '../common/errors.ts';
import { ByClass } from './by-class.ts';
import { methodHead } from './frame.ts';
import type { ChannelHandler, NoticeHandler, RequestHandler, TrafficClass } from './network.ts';

/** Names of methods have 1 to 255 bytes (RangeError). Those that are served are known by their bytes from then on: see methodHead(). */
export class HandlerTable {
  readonly #requests = new ByClass<RequestHandler>();
  readonly #notices = new ByClass<NoticeHandler>();
  readonly #channels = new Map<string, ChannelHandler>();

  addRequest(trafficClass: TrafficClass, method: string, handler: RequestHandler): void {
    assert(this.request(trafficClass, method) === undefined, `${trafficClass}/${method} has one handler`);
    methodHead(method);
    this.#requests.set(trafficClass, method, handler);
  }

  addNotice(trafficClass: TrafficClass, method: string, handler: NoticeHandler): void {
    assert(this.notice(trafficClass, method) === undefined, `${trafficClass}/${method} has one handler`);
    methodHead(method);
    this.#notices.set(trafficClass, method, handler);
  }

  addChannel(method: string, handler: ChannelHandler): void {
    assert(!this.#channels.has(method), `${method} has one handler`);
    methodHead(method);
    this.#channels.set(method, handler);
  }

  request(trafficClass: TrafficClass, method: string): RequestHandler | undefined {
    return this.#requests.get(trafficClass, method);
  }

  notice(trafficClass: TrafficClass, method: string): NoticeHandler | undefined {
    return this.#notices.get(trafficClass, method);
  }

  channel(method: string): ChannelHandler | undefined {
    return this.#channels.get(method);
  }
}
