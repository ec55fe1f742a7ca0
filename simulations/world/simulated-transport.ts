/** @module The transport of one run of a process: the real framing and sessions go over it. */
import type { PeerId, PeerPath, TrafficClass } from '../../src/network/network.ts';
import { memoryAddress } from '../../src/network/memory-network.ts';
import { isUnprovenSignature, unprovenSignature } from '../../src/network/peer-signature.ts';
import type { FrameStream, Transport, TransportListener } from '../../src/network/transport.ts';
import { unreachable } from '../../src/network/errors.ts';
import type { ProcessGate } from './process-gate.ts';
import type { Endpoint, SimulatedSwitch } from './simulated-switch.ts';

export interface SimulatedTransportComponents {
  readonly switch: SimulatedSwitch;
  readonly gate: ProcessGate;
}

export interface SimulatedTransportOptions {
  readonly peer: PeerId;
  /** Those who only ask do not. */
  readonly isListening: boolean;
}

/** Every peer that listens can be dialled by its name; no address is needed. */
export class SimulatedTransport implements Transport {
  readonly localPeer: PeerId;
  readonly #components: SimulatedTransportComponents;
  readonly #isListening: boolean;
  #endpoint: Endpoint | undefined;

  constructor(components: SimulatedTransportComponents, options: SimulatedTransportOptions) {
    this.#components = components;
    this.localPeer = options.peer;
    this.#isListening = options.isListening;
  }

  addresses(): readonly string[] {
    return [memoryAddress(this.localPeer)];
  }

  learn(): void {}

  async dial(address: string, signal: AbortSignal): Promise<PeerId> {
    const peer = address.split('/p2p/')[1] ?? '';
    await this.connect(peer, 'control', signal);
    return peer;
  }

  isConnected(peer: PeerId): boolean {
    return this.#components.switch.isConnected(this.localPeer, peer);
  }

  connectedPeers(): readonly PeerId[] {
    return this.#components.switch.neighbours(this.localPeer);
  }

  paths(): readonly PeerPath[] {
    return this.connectedPeers().map((peer) => ({ peer, path: 'direct', isOpen: true, relayedBytes: 0 }));
  }

  sign(bytes: Uint8Array): Uint8Array {
    return unprovenSignature(this.localPeer, bytes);
  }

  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean {
    return isUnprovenSignature(peer, bytes, signature);
  }

  connect(peer: PeerId, trafficClass: TrafficClass, signal: AbortSignal): Promise<FrameStream> {
    if (this.#endpoint === undefined)
      return Promise.reject(unreachable(peer, 'this transport is not started'));
    return this.#components.switch.connect(this.#endpoint, peer, trafficClass, signal);
  }

  async start(listener: TransportListener): Promise<void> {
    const { gate } = this.#components;
    if (!gate.isAlive) return;
    this.#endpoint = { peer: this.localPeer, gate, listener, isListening: this.#isListening };
    this.#components.switch.attach(this.#endpoint);
  }

  /** What is left of a run that was killed while it stopped does nothing: its address is that of the next run. */
  async stop(): Promise<void> {
    if (!this.#components.gate.isAlive) return;
    this.#components.switch.detach(this.localPeer, 'refused');
    this.#endpoint = undefined;
  }
}
