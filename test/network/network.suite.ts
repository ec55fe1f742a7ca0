/** @module What every Network promises, run over the memory twin and over libp2p. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HoldfastError, isHoldfastError } from '../../src/common/errors.ts';
import { KIB, MIB, fromUtf8, utf8 } from '../../src/common/bytes.ts';
import { giveBackBody } from '../../src/network/frame.ts';
import type { Channel, IncomingChannel, IncomingRequest, Network } from '../../src/network/network.ts';

export interface NetworkFixture {
  /** A started network that may reach the others by learn(). The same name gives the same identity and address. */
  start(name: string): Promise<Network>;
  stopAll(): Promise<void>;
}

/** Calls: more than may wait for a stream, and more than may wait for their answers on one. */
const ABOVE_WAITING = 5_000;
const ABOVE_PENDING = 20_000;

const echo = async ({ body }: IncomingRequest): Promise<Uint8Array> => body;
const never = (): Promise<Uint8Array> => new Promise(() => {});

async function collect(channel: Channel): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of channel) pieces.push(piece);
  return pieces;
}

export function describeNetwork(name: string, createFixture: () => Promise<NetworkFixture>): void {
  describe(name, () => {
    let fixture: NetworkFixture;
    let a: Network;
    let b: Network;

    beforeEach(async () => {
      fixture = await createFixture();
      [a, b] = await Promise.all([fixture.start('a'), fixture.start('b')]);
      for (const network of [a, b]) network.authorize(() => true);
      a.learn(b.localPeer, b.addresses());
    });
    afterEach(() => fixture.stopAll());

    it('answers a request, and says who asked', async () => {
      b.onRequest('control', 'who', async ({ peer, body }) => utf8(`${peer} said ${fromUtf8(body)}`));
      const answer = await a.request(b.localPeer, 'control', 'who', utf8('hello'));
      expect(fromUtf8(answer)).toBe(`${a.localPeer} said hello`);
    });

    it('answers the local peer in process, without asking the authorizer', async () => {
      a.authorize(() => false);
      a.onRequest('raft', 'echo', echo);
      expect(await a.request(a.localPeer, 'raft', 'echo', utf8('me'))).toEqual(new Uint8Array(utf8('me')));
    });

    it('gives each of many concurrent requests its own answer, whatever the sizes', async () => {
      b.onRequest('control', 'echo', echo);
      const sizes = Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? 200 * KIB + i : i * 7));
      const answers = await Promise.all(
        sizes.map((size, i) => a.request(b.localPeer, 'control', 'echo', new Uint8Array(size).fill(i))),
      );
      answers.forEach((answer, i) =>
        expect([answer.byteLength, answer[0] ?? i % 256]).toEqual([sizes[i], i % 256]),
      );
    });

    it('keeps the order of notices, from before the connection on', async () => {
      const seen: number[] = [];
      const all = Promise.withResolvers<void>();
      b.onNotice('raft', 'count', (_, body) => {
        if (seen.push(new DataView(body.buffer, body.byteOffset).getUint32(0)) === 1000) all.resolve();
      });
      for (let i = 0; i < 1000; i += 1) {
        const body = new Uint8Array(4);
        new DataView(body.buffer).setUint32(0, i);
        expect(a.notify(b.localPeer, 'raft', 'count', body)).toBe(true);
        if (i === 500) await a.dial(b.addresses()[0] ?? '');
      }
      await all.promise;
      expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    });

    it('rejects with NETWORK_TIMEOUT at the deadline, and the handler is told', async () => {
      const told = Promise.withResolvers<unknown>();
      b.onRequest('control', 'hang', ({ signal }) => {
        signal.addEventListener('abort', () => told.resolve(signal.reason));
        return never();
      });
      // The stream is there already: its set-up may take longer than the deadline, and then nothing was sent.
      b.onRequest('control', 'echo', echo);
      await a.request(b.localPeer, 'control', 'echo', utf8('x'));
      await expect(
        a.request(b.localPeer, 'control', 'hang', utf8(''), { timeoutMs: 200 }),
      ).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT', kind: 'unknown' });
      expect(isHoldfastError(await told.promise, 'NETWORK_TIMEOUT', 'NETWORK_ABORTED')).toBe(true);
    });

    it('carries a cancellation to the handler, long before the deadline', async () => {
      const told = Promise.withResolvers<unknown>();
      const caller = new AbortController();
      b.onRequest('control', 'hang', ({ signal }) => {
        signal.addEventListener('abort', () => told.resolve(signal.reason));
        caller.abort();
        return never();
      });
      const call = a.request(b.localPeer, 'control', 'hang', utf8(''), { signal: caller.signal });
      await expect(call).rejects.toMatchObject({ code: 'NETWORK_ABORTED' });
      expect(await told.promise).toMatchObject({ code: 'NETWORK_ABORTED' });
    });

    it('brings a thrown HoldfastError over whole, and any other as NETWORK_REMOTE_FAILED', async () => {
      const facts = { path: '/a', wanted: 3, deep: false, list: ['x', 'y'] };
      b.onRequest('control', 'refuse', async () => {
        throw new HoldfastError({ code: 'NAMESPACE_NOT_FOUND', kind: 'refused', message: 'No /a.', facts });
      });
      b.onRequest('control', 'crash', async () => {
        throw new TypeError('x is not a function');
      });
      const refusal = { code: 'NAMESPACE_NOT_FOUND', kind: 'refused', message: 'No /a.', facts };
      await expect(a.request(b.localPeer, 'control', 'refuse', utf8(''))).rejects.toMatchObject(refusal);
      await expect(a.request(b.localPeer, 'control', 'crash', utf8(''))).rejects.toMatchObject({
        code: 'NETWORK_REMOTE_FAILED',
        kind: 'unknown',
      });
    });

    it('refuses an unknown method, an unknown channel and a body that is too large', async () => {
      await expect(a.request(b.localPeer, 'control', 'nope', utf8(''))).rejects.toMatchObject({
        code: 'NETWORK_NO_SUCH_METHOD',
      });
      await expect(a.request(b.localPeer, 'control', 'nope', new Uint8Array(9 * MIB))).rejects.toMatchObject({
        code: 'NETWORK_TOO_LARGE',
      });
      const channel = await a.open(b.localPeer, 'nope', utf8(''));
      await expect(collect(channel)).rejects.toMatchObject({ code: 'NETWORK_NO_SUCH_METHOD' });
    });

    it('refuses a stranger on control and bulk, serves it on join, and lets it in once it is a member', async () => {
      let isMember = false;
      b.authorize(async () => isMember);
      for (const trafficClass of ['control', 'join'] as const) b.onRequest(trafficClass, 'echo', echo);
      b.onChannel('echo', async () => {});
      const refused = { code: 'NETWORK_NOT_A_MEMBER', kind: 'refused' };
      await expect(a.request(b.localPeer, 'control', 'echo', utf8('x'))).rejects.toMatchObject(refused);
      await expect(collect(await a.open(b.localPeer, 'echo', utf8('')))).rejects.toMatchObject(refused);
      expect(fromUtf8(await a.request(b.localPeer, 'join', 'echo', utf8('let me in')))).toBe('let me in');
      isMember = true;
      expect(fromUtf8(await a.request(b.localPeer, 'control', 'echo', utf8('x')))).toBe('x');
    });

    it('tells a peer why it cannot be told from a stranger now, and lets it in once it can', async () => {
      const why = new HoldfastError({ code: 'TEST_NOT_NOW', kind: 'unavailable', message: 'Nobody knows.' });
      let canTell = false;
      b.authorize(async () => {
        if (!canTell) throw why;
        return true;
      });
      b.onRequest('control', 'echo', echo);
      const asked = a.request(b.localPeer, 'control', 'echo', utf8('x'));
      await expect(asked).rejects.toMatchObject({ code: 'TEST_NOT_NOW', kind: 'unavailable' });
      canTell = true;
      expect(fromUtf8(await a.request(b.localPeer, 'control', 'echo', utf8('x')))).toBe('x');
    });

    it('rejects what is pending when the peer stops, and says that it is gone', async () => {
      const gone = Promise.withResolvers<string>();
      const asked = Promise.withResolvers<void>();
      a.onPeer({ disconnected: gone.resolve });
      b.onRequest('control', 'hang', () => {
        asked.resolve();
        return never();
      });
      const call = expect(a.request(b.localPeer, 'control', 'hang', utf8(''))).rejects.toMatchObject({
        code: 'NETWORK_DISCONNECTED',
        kind: 'unknown',
      });
      await asked.promise;
      await b.stop();
      await call;
      expect(await gone.promise).toBe(b.localPeer);
      expect(a.isConnected(b.localPeer)).toBe(false);
    });

    it('fails fast while a peer is away, and finds it again within about a second of its return', async () => {
      b.onRequest('control', 'echo', echo);
      await a.request(b.localPeer, 'control', 'echo', utf8('1'));
      await b.stop();
      for (let i = 0; i < 10; i += 1) {
        const startedMs = performance.now();
        await expect(a.request(b.localPeer, 'control', 'echo', utf8('2'))).rejects.toMatchObject({
          kind: expect.stringMatching(/unavailable|unknown/),
        });
        expect(performance.now() - startedMs).toBeLessThan(1000);
      }
      const again = await fixture.start('b');
      again.authorize(() => true);
      again.onRequest('control', 'echo', echo);
      const returnedMs = performance.now();
      let answer: Uint8Array | undefined;
      while (answer === undefined) {
        const attempt = a.request(b.localPeer, 'control', 'echo', utf8('3'));
        answer = await attempt.catch(() => undefined);
        if (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
        expect(performance.now() - returnedMs).toBeLessThan(2500);
      }
      expect(fromUtf8(answer)).toBe('3');
    });

    it('carries 64 MiB through a channel unchanged, with header and half-close, though what was left is written over', async () => {
      const received = Promise.withResolvers<string>();
      b.onChannel('sink', async (channel) => {
        const hash = createHash('sha256');
        for await (const piece of channel) {
          hash.update(piece);
          // As datanodes do: its credit comes back all the same.
          giveBackBody(piece);
        }
        received.resolve(`${fromUtf8(channel.header)} ${hash.digest('hex')}`);
        await channel.write(utf8('thanks'));
      });
      const channel = await a.open(b.localPeer, 'sink', utf8('header'));
      const hash = createHash('sha256');
      for (let i = 0; i < 64; i += 1) {
        const piece = new Uint8Array(MIB).map((_, at) => (at * 31 + i) & 255);
        hash.update(piece);
        await channel.write(piece, () => piece.fill(0));
      }
      await channel.end();
      const reply = await collect(channel);
      expect(fromUtf8(Buffer.concat(reply))).toBe('thanks');
      expect(await received.promise).toBe(`header ${hash.digest('hex')}`);
    });

    it('holds a writer back when its reader is slow, and no other channel', async () => {
      const readOn = Promise.withResolvers<void>();
      let readBytes = 0;
      b.onChannel('slow', async (channel) => {
        await readOn.promise;
        for await (const piece of channel) readBytes += piece.byteLength;
        await channel.end();
      });
      b.onChannel('fast', async (channel) => {
        for await (const piece of channel) await channel.write(piece);
      });
      const slow = await a.open(b.localPeer, 'slow', utf8(''));
      let writtenBytes = 0;
      const writing = (async () => {
        for (let i = 0; i < 32; i += 1) {
          await slow.write(new Uint8Array(MIB));
          writtenBytes += MIB;
        }
        await slow.end();
      })();
      const fast = await a.open(b.localPeer, 'fast', utf8(''));
      const echoed = collect(fast);
      for (let i = 0; i < 16; i += 1) await fast.write(new Uint8Array(MIB));
      await fast.end();
      expect((await echoed).reduce((sum, piece) => sum + piece.byteLength, 0)).toBe(16 * MIB);
      expect(writtenBytes).toBeLessThanOrEqual(4 * MIB);
      expect(writtenBytes).toBeGreaterThan(0);
      readOn.resolve();
      await writing;
      for await (const _ of slow);
      expect(readBytes).toBe(32 * MIB);
    });

    it('shows an abort to the other side, either way', async () => {
      const seen = Promise.withResolvers<unknown>();
      const reason = new HoldfastError({ code: 'DATANODE_FULL', kind: 'unavailable', message: 'Full.' });
      b.onChannel('watch', async (channel) => {
        try {
          for await (const _ of channel);
        } catch (error) {
          seen.resolve([error, channel.signal.aborted]);
        }
      });
      b.onChannel('full', async (channel: IncomingChannel) => channel.abort(reason));
      b.onChannel('throws', async () => {
        throw reason;
      });
      const watched = await a.open(b.localPeer, 'watch', utf8(''));
      await watched.write(utf8('some'));
      watched.abort(reason);
      watched.abort();
      expect(await seen.promise).toMatchObject([{ code: 'DATANODE_FULL' }, true]);
      for (const method of ['full', 'throws']) {
        const channel = await a.open(b.localPeer, method, utf8(''));
        await expect(collect(channel)).rejects.toMatchObject({ code: 'DATANODE_FULL' });
        await expect(channel.write(utf8('x'))).rejects.toMatchObject({ code: 'DATANODE_FULL' });
      }
    });

    it('refuses at once the calls that its queues have no room for, answers all others, and takes calls again', async () => {
      const answering = Promise.withResolvers<void>();
      let arrived = 0;
      b.onRequest('control', 'wait', async ({ body }) => {
        arrived += 1;
        await answering.promise;
        return body;
      });
      const refusals: unknown[] = [];
      const call = async (): Promise<void> => {
        try {
          await a.request(b.localPeer, 'control', 'wait', utf8('x'), { timeoutMs: 50_000 });
        } catch (error) {
          refusals.push(isHoldfastError(error) ? `${error.kind}: ${error.code}` : error);
        }
      };
      const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      const calls = Array.from({ length: ABOVE_WAITING }, call);
      await turn();
      const beforeConnected = refusals.length;
      expect(beforeConnected).toBeGreaterThan(0);
      await expect.poll(() => arrived).toBeGreaterThan(0);
      calls.push(...Array.from({ length: ABOVE_PENDING }, call));
      await turn();
      expect(refusals.length).toBeGreaterThan(beforeConnected);
      answering.resolve();
      await Promise.all(calls);
      expect([...new Set(refusals)]).toEqual(['unavailable: NETWORK_OVERLOADED']);
      expect(calls.length - refusals.length).toBeGreaterThan(ABOVE_PENDING / 2);
      await call();
      expect(calls.length - refusals.length).toBeGreaterThan(ABOVE_PENDING / 2);
    });

    it('queues so many bytes for a peer and no more, and takes notices again once they have left', async () => {
      let arrived = 0;
      b.onNotice('raft', 'large', () => {
        arrived += 1;
      });
      b.onRequest('raft', 'echo', echo);
      await a.request(b.localPeer, 'raft', 'echo', utf8('warm'));
      const body = new Uint8Array(4 * MIB);
      const notify = (): boolean => a.notify(b.localPeer, 'raft', 'large', body);
      let taken = 0;
      while (taken < 16 && notify()) taken += 1;
      expect(taken).toBeLessThan(16);
      expect(taken).toBeGreaterThan(1);
      await expect.poll(notify).toBe(true);
      await expect.poll(() => arrived).toBeGreaterThan(taken);
    });

    it('does not delay a control request behind bulk', async () => {
      b.onRequest('control', 'echo', echo);
      b.onChannel('sink', async (channel) => {
        for await (const _ of channel);
      });
      const channel = await a.open(b.localPeer, 'sink', utf8(''));
      await a.request(b.localPeer, 'control', 'echo', utf8('warm'));
      const bulk = (async () => {
        for (let i = 0; i < 96; i += 1) await channel.write(new Uint8Array(MIB));
        return 'done';
      })();
      let answers = 0;
      const asking = (async () => {
        for (; answers < 20; answers += 1)
          await a.request(b.localPeer, 'control', 'echo', utf8('x'), { timeoutMs: 1000 });
        return 'asked';
      })();
      await Promise.race([bulk, asking]);
      expect(answers).toBeGreaterThan(3);
      await asking;
      channel.abort();
      await Promise.allSettled([bulk]);
    });
  });
}
