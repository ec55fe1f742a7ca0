import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { message } from '../../raft/messages.ts';
import type { Message } from '../../raft/types.ts';
import { systemClock } from '../../src/common/clock.ts';
import { sha256 } from '../../src/common/hashing.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { MemberDirectory } from '../../src/metadata/member-directory.ts';
import { encodeChunk } from '../../src/metadata/snapshot-chunks.ts';
import { SnapshotReceiver } from '../../src/metadata/snapshot-receiver.ts';
import { SnapshotStore } from '../../src/metadata/snapshot-store.ts';
import { StateMachine } from '../../src/namespace/state-machine.ts';
import type { Channel, Network } from '../../src/network/network.ts';
import { SnapshotHandle, SnapshotReadHeader } from '../../src/protocol/messages.ts';
import { MemoryRowStore } from '../../src/storage/memory-row-store.ts';
import { FoundedMachine } from '../namespace/founded-machine.ts';

const PAYLOAD_BYTES = 500;
const NAME = '2-9-1-abcd.snapshot';
const LEADER = 1;
const CONF_STATE = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

/** What one connection does after so many chunks: nothing more, an end, or a last chunk that is spoilt. */
interface Trouble {
  readonly afterChunks: number;
  readonly kind: 'breaks' | 'ends' | 'spoils';
}

/** A leader's side of the channel, without a network: one trouble per connection, then none. */
class Sender {
  readonly offsets: number[] = [];
  readonly troubles: Trouble[] = [];
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  open(header: Uint8Array): Channel {
    const { offset } = SnapshotReadHeader.decode(header);
    this.offsets.push(offset);
    const chunks = this.#chunks(offset, this.troubles.shift());
    return {
      peer: 'leader',
      [Symbol.asyncIterator]: () => chunks,
      write: () => Promise.resolve(),
      end: () => Promise.resolve(),
      abort: () => {},
    };
  }

  async *#chunks(start: number, trouble: Trouble | undefined): AsyncGenerator<Uint8Array> {
    let sent = 0;
    for (let offset = start; offset < this.#bytes.length; offset += PAYLOAD_BYTES) {
      const chunk = encodeChunk(offset, this.#bytes.subarray(offset, offset + PAYLOAD_BYTES));
      if (sent++ !== trouble?.afterChunks) {
        yield chunk;
        continue;
      }
      if (trouble.kind === 'ends') return;
      if (trouble.kind === 'breaks') throw new Error('the connection broke');
      chunk[chunk.length - 1] = (chunk[chunk.length - 1] ?? 0) ^ 1;
      yield chunk;
    }
  }
}

describe('the receiver of a snapshot', () => {
  let folder: string;
  let file: Uint8Array;
  let sender: Sender;
  let chunks: number;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-receiver-'));
    const source = await FoundedMachine.create();
    for (let count = 0; count < 10; count++) await source.put(`/file-${count}`, `x${count}`);
    const { rows } = await source.machine.pin();
    await rows.copyTo(join(folder, 'source'));
    file = await readFile(join(folder, 'source'));
    sender = new Sender(file);
    chunks = Math.ceil(file.length / PAYLOAD_BYTES);
  });
  afterEach(() => rm(folder, { recursive: true }));

  function offer(changes: { name?: string; sha256?: Uint8Array; index?: number } = {}): Message {
    const handle = { name: NAME, sizeBytes: file.length, sha256: sha256(file), node: LEADER, ...changes };
    const metadata = { index: changes.index ?? 9, term: 2, confState: CONF_STATE };
    const snapshot = { metadata, data: SnapshotHandle.encode(handle).finish() };
    return message({ type: 'MsgSnap', to: 2, from: LEADER, term: 2, snapshot });
  }

  /** A receiver as after a start of its process, on the same directory. */
  async function receiver(): Promise<{
    receiver: SnapshotReceiver;
    machine: StateMachine;
    outcome: Promise<{ kind: string; message: Message }>;
  }> {
    const machine = await StateMachine.open({ store: new MemoryRowStore() });
    const store = new SnapshotStore(join(folder, 'received'));
    await store.prepare();
    const outcome = Promise.withResolvers<{ kind: string; message: Message }>();
    const leader = { number: LEADER, peer: 'leader', roles: ['meta'], state: 'active' };
    const members = new MemberDirectory(machine, [leader as never]);
    const network = {
      open: (_peer: string, _method: string, header: Uint8Array) => Promise.resolve(sender.open(header)),
    } as unknown as Network;
    const made = new SnapshotReceiver(
      { network, members, store, machine, clock: systemClock, logger: silentLogger },
      {
        fetched: (fetched) => outcome.resolve({ kind: 'fetched', message: fetched }),
        failed: (failed) => outcome.resolve({ kind: 'failed', message: failed }),
      },
    );
    return { receiver: made, machine, outcome: outcome.promise };
  }

  it('goes on where the stream was cut, at every chunk, and installs the whole', async () => {
    expect(chunks).toBeGreaterThan(5);
    for (let cut = 1; cut < chunks; cut++) {
      const kind = cut % 2 === 0 ? 'breaks' : 'ends';
      sender.troubles.push({ afterChunks: 1, kind });
    }
    const { receiver: to, machine, outcome } = await receiver();
    const offered = offer();
    to.receive(offered);
    expect((await outcome).kind).toBe('fetched');
    expect(sender.offsets).toEqual(Array.from({ length: chunks }, (_, at) => at * PAYLOAD_BYTES));
    await to.restore(offered.snapshot as never);
    expect((await machine.list('/', '', 100)).entries).toHaveLength(10);
  });

  it('goes on after a restart of its own process, wherever that came', async () => {
    for (const afterChunks of [0, 1, chunks - 1]) {
      sender = new Sender(file);
      const first = await receiver();
      sender.troubles.push(
        ...Array.from({ length: 5 }, (_, at) => ({
          afterChunks: at === 0 ? afterChunks : 0,
          kind: 'breaks' as const,
        })),
      );
      sender.troubles.push({ afterChunks: 0, kind: 'breaks' });
      first.receiver.receive(offer());
      expect((await first.outcome).kind).toBe('failed');
      sender.troubles.length = 0;
      sender.offsets.length = 0;
      const second = await receiver();
      second.receiver.receive(offer());
      expect((await second.outcome).kind).toBe('fetched');
      expect(sender.offsets).toEqual([afterChunks * PAYLOAD_BYTES]);
      await rm(join(folder, 'received'), { recursive: true });
    }
  });

  it('asks again for a chunk that arrived spoilt', async () => {
    sender.troubles.push({ afterChunks: 3, kind: 'spoils' });
    const { receiver: to, outcome } = await receiver();
    to.receive(offer());
    expect((await outcome).kind).toBe('fetched');
    expect(sender.offsets).toEqual([0, 3 * PAYLOAD_BYTES]);
  });

  it('refuses a file that is not what the leader spoke of, and begins anew the next time', async () => {
    const first = await receiver();
    first.receiver.receive(offer({ sha256: sha256(Buffer.from('another')) }));
    expect((await first.outcome).kind).toBe('failed');
    expect(await readdir(join(folder, 'received'))).toEqual([]);
    const second = await receiver();
    second.receiver.receive(offer());
    expect((await second.outcome).kind).toBe('fetched');
    expect(sender.offsets).toEqual([0, 0]);
  });

  it('notices that what an earlier process left is spoilt or too long', async () => {
    const first = await receiver();
    const partial = join(folder, 'received', `${NAME}.partial`);
    await writeFile(partial, Buffer.alloc(PAYLOAD_BYTES, 1));
    first.receiver.receive(offer());
    expect((await first.outcome).kind).toBe('failed');
    await writeFile(partial, '');
    await truncate(partial, file.length + 1);
    const second = await receiver();
    second.receiver.receive(offer());
    expect((await second.outcome).kind).toBe('fetched');
  });

  it('refuses a file whose rows cannot be read, although it arrived as it was sent', async () => {
    file = Buffer.from('these are no rows');
    sender = new Sender(file);
    const { receiver: to, outcome } = await receiver();
    to.receive(offer());
    expect((await outcome).kind).toBe('failed');
  });

  it('takes the newest of two that come one after the other, and keeps no part of the older', async () => {
    const { receiver: to, outcome } = await receiver();
    sender.troubles.push({ afterChunks: 2, kind: 'breaks' });
    to.receive(offer({ name: '2-8-1-abcd.snapshot', index: 8 }));
    to.receive(offer());
    const fetched = await outcome;
    expect(fetched).toMatchObject({ kind: 'fetched', message: { snapshot: { metadata: { index: 9 } } } });
    expect(await readdir(join(folder, 'received'))).toEqual([NAME]);
  });

  it('keeps a file that the core was told of while it fetches a newer one', async () => {
    const { receiver: to, outcome } = await receiver();
    const offered = offer();
    to.receive(offered);
    await outcome;
    sender.troubles.push(...Array.from({ length: 6 }, () => ({ afterChunks: 0, kind: 'breaks' as const })));
    to.receive(offer({ name: '2-12-1-abcd.snapshot', index: 12 }));
    await expect.poll(() => sender.offsets.length).toBeGreaterThan(1);
    await to.restore(offered.snapshot as never);
    await to.stop();
  });

  it('gives the core the latest message that named the file it was fetching', async () => {
    const { receiver: to, outcome } = await receiver();
    to.receive(offer());
    to.receive({ ...offer(), term: 5 });
    expect((await outcome).message.term).toBe(5);
    expect(sender.offsets).toEqual([0]);
  });
});
