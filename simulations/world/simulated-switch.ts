/** @module Connections between the processes of a world: made, carried, broken and noticed late, as TCP's are. */
import { unreachable } from '../../src/network/errors.ts';
import { type Carrier, MemoryStream } from '../../src/network/memory-stream.ts';
import type { PeerId, TrafficClass } from '../../src/network/network.ts';
import type { FrameStream, TransportListener } from '../../src/network/transport.ts';
import { hashText, type Prng } from '../prng.ts';
import type { ProcessGate } from './process-gate.ts';
import type { Weather } from './weather.ts';
import { Wire } from './wire.ts';
import type { World } from './world.ts';

export interface SimulatedSwitchComponents {
  readonly world: World;
  readonly weather: Weather;
  readonly random: Prng;
  /** Told of every frame that arrives: `wire` stands for its ends and its traffic class. */
  readonly observe: (wire: number) => void;
}

/** One run of a process on the network. */
export interface Endpoint {
  readonly peer: PeerId;
  readonly gate: ProcessGate;
  readonly listener: TransportListener;
  /** Others can dial it; one that cannot be dialled is reached over connections that it made. */
  readonly isListening: boolean;
}

interface Connection {
  readonly ends: readonly [Endpoint, Endpoint];
  readonly streams: {
    readonly sides: readonly [MemoryStream, MemoryStream];
    readonly wires: readonly Wire[];
  }[];
}

/** A connection over a cut that says nothing is given up between these, in milliseconds: TCP's retransmissions end. */
const SHORTEST_GIVE_UP_MS = 1_000;
const LONGEST_GIVE_UP_MS = 15_000;

export class SimulatedSwitch {
  readonly #components: SimulatedSwitchComponents;
  readonly #endpoints = new Map<PeerId, Endpoint>();
  readonly #connections = new Map<string, Connection>();

  constructor(components: SimulatedSwitchComponents) {
    this.#components = components;
    components.weather.listen(() => this.#weatherChanged());
  }

  /** A machine that is back answers what belonged to an earlier run with a reset. */
  attach(endpoint: Endpoint): void {
    for (const [key, connection] of this.#connections)
      if (connection.ends.some(({ peer }) => peer === endpoint.peer))
        this.#break(key, connection, `peer ${endpoint.peer} was started anew`);
    this.#endpoints.set(endpoint.peer, endpoint);
  }

  /** The process is gone. Its machine tells the others ('refused'), or is gone too ('silent') and they find out by themselves. */
  detach(peer: PeerId, mode: 'silent' | 'refused'): void {
    this.#endpoints.delete(peer);
    for (const [key, connection] of this.#connections)
      if (connection.ends.some((end) => end.peer === peer)) {
        if (mode === 'refused') this.#break(key, connection, `peer ${peer} was killed`);
        else this.#breakLate(key, connection);
      }
  }

  /** Breaks the connection between two peers once; they may connect again at once. */
  snap(a: PeerId, b: PeerId): void {
    const key = keyOf(a, b);
    const connection = this.#connections.get(key);
    if (connection !== undefined) this.#break(key, connection, `the connection of ${a} and ${b} broke`);
  }

  isConnected(a: PeerId, b: PeerId): boolean {
    return this.#connections.has(keyOf(a, b));
  }

  neighbours(peer: PeerId): PeerId[] {
    return [...this.#connections.values()]
      .filter(({ ends }) => ends.some((end) => end.peer === peer))
      .map(({ ends }) => (ends[0].peer === peer ? ends[1].peer : ends[0].peer));
  }

  /** Resolves with a stream on a new or an old connection; waits in vain, until the signal fires, where a cut is silent. */
  async connect(
    source: Endpoint,
    target: PeerId,
    trafficClass: TrafficClass,
    signal: AbortSignal,
  ): Promise<FrameStream> {
    const connection =
      this.#connections.get(keyOf(source.peer, target)) ?? (await this.#dial(source, target, signal));
    return this.#openStream(connection, source, trafficClass);
  }

  /** There and back again. */
  async #dial(source: Endpoint, target: PeerId, signal: AbortSignal): Promise<Connection> {
    const { world, weather } = this.#components;
    const roundTripMs = weather.delayMs(source.peer, target) + weather.delayMs(target, source.peer);
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      world.after(roundTripMs, () =>
        source.gate.run(() => {
          const mode = weather.cutOf(source.peer, target) ?? weather.cutOf(target, source.peer);
          if (mode === 'silent') return;
          signal.removeEventListener('abort', onAbort);
          if (mode === undefined) resolve();
          else reject(unreachable(target, 'the connection was refused'));
        }),
      );
    });
    const key = keyOf(source.peer, target);
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const other = this.#endpoints.get(target);
    if (other?.isListening !== true) throw unreachable(target, 'nothing listens there');
    if (this.#endpoints.get(source.peer) !== source) throw unreachable(target, 'this process has ended');
    const connection: Connection = { ends: [source, other], streams: [] };
    this.#connections.set(key, connection);
    source.listener.connected(target);
    world.after(0, () => other.gate.run(() => other.listener.connected(source.peer)));
    return connection;
  }

  #openStream(connection: Connection, source: Endpoint, trafficClass: TrafficClass): FrameStream {
    const { world, weather, observe } = this.#components;
    const [first, second] = connection.ends;
    const target = first === source ? second : first;
    const [near, far] = [source.peer, target.peer];
    const snap = (): void => this.snap(near, far);
    const there = new Wire({ world, weather, gate: target.gate, snap }, { from: near, to: far });
    const back = new Wire({ world, weather, gate: source.gate, snap }, { from: far, to: near });
    const observed = (wire: Wire, from: PeerId, to: PeerId): Carrier => {
      const name = hashText(`${from}>${to} ${trafficClass}`);
      return (deliver, sizeBytes) =>
        wire.carry(() => {
          observe(name);
          deliver();
        }, sizeBytes);
    };
    const ours = new MemoryStream(observed(there, near, far));
    const theirs = new MemoryStream(observed(back, far, near));
    ours.join(theirs);
    theirs.join(ours);
    connection.streams.push({
      sides: source === first ? [ours, theirs] : [theirs, ours],
      wires: [there, back],
    });
    there.carry(() => target.listener.stream(near, trafficClass, theirs), 0);
    return ours;
  }

  #weatherChanged(): void {
    const { weather } = this.#components;
    for (const [key, connection] of this.#connections) {
      const [a, b] = connection.ends;
      const mode = weather.cutOf(a.peer, b.peer) ?? weather.cutOf(b.peer, a.peer);
      if (mode === 'refused') this.#break(key, connection, 'the connection was reset');
      else if (mode === 'silent') this.#breakLate(key, connection);
      for (const { wires } of connection.streams) for (const wire of wires) wire.retry();
    }
  }

  /** Unless the cut heals before, or the peer is back: then the old connection is answered with a reset. */
  #breakLate(key: string, connection: Connection): void {
    const { world, weather, random } = this.#components;
    const [a, b] = connection.ends;
    world.after(random.between(SHORTEST_GIVE_UP_MS, LONGEST_GIVE_UP_MS), () => {
      if (this.#connections.get(key) !== connection) return;
      const isCut = weather.cutOf(a.peer, b.peer) ?? weather.cutOf(b.peer, a.peer);
      const isGone = connection.ends.some((end) => this.#endpoints.get(end.peer) !== end);
      if (isCut !== undefined || isGone) this.#break(key, connection, 'no answer for too long');
    });
  }

  /** Each end notices for itself. */
  #break(key: string, connection: Connection, reason: string): void {
    const { world, weather } = this.#components;
    this.#connections.delete(key);
    for (const { wires } of connection.streams) for (const wire of wires) wire.break();
    const [a, b] = connection.ends;
    for (const [side, [end, other]] of [[a, b] as const, [b, a] as const].entries())
      world.after(weather.delayMs(other.peer, end.peer), () =>
        end.gate.run(() => {
          for (const { sides } of connection.streams) sides[side]?.sever(new Error(reason));
          end.listener.disconnected(other.peer);
        }),
      );
  }
}

function keyOf(a: PeerId, b: PeerId): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
