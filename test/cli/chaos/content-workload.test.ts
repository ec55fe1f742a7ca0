import { describe, expect, it } from 'vitest';
import { ContentWorkload } from '../../../cli/chaos/content-workload.ts';
import { Recorder } from '../../../cli/chaos/recorder.ts';
import { SeededChoice } from '../../../cli/chaos/seeded-choice.ts';
import type { Worker } from '../../../cli/chaos/workload.ts';
import { type Client, HoldfastError } from '../../../src/index.ts';

/** A cluster of one map, which may be tampered with. */
class OneMap {
  readonly files = new Map<string, Uint8Array>();

  get client(): Client {
    const { files } = this;
    const wanted = (path: string): Uint8Array => {
      const found = files.get(path);
      if (found !== undefined) return found;
      throw new HoldfastError({ code: 'NAMESPACE_NOT_FOUND', kind: 'refused', message: path });
    };
    const calls = {
      put: async (path: string, bytes: Uint8Array) => void files.set(path, bytes),
      get: async (path: string) => ({ bytes: oneChunk(wanted(path)) }),
      stat: async (path: string) => ({ bytes: wanted(path) }),
      unlink: async (path: string) => {
        wanted(path);
        files.delete(path);
      },
    };
    return calls as unknown as Client;
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function worked(): Promise<{ map: OneMap; workload: ContentWorkload; worker: Worker }> {
  const map = new OneMap();
  const workload = new ContentWorkload({ recorder: new Recorder() });
  const worker = { id: 0, client: map.client, choice: new SeededChoice(1, 'worker') };
  for (let count = 0; count < 60; count += 1) await workload.one(worker);
  return { map, workload, worker };
}

describe('files that carry their checksum', () => {
  it('are all well on a cluster that keeps them', async () => {
    const { workload, worker, map } = await worked();
    await workload.lookAtAll(worker);
    expect(workload.violations).toEqual([]);
    expect(workload.compared).toBeGreaterThan(map.files.size);
  });

  it.each([
    ['is gone', (files: Map<string, Uint8Array>, path: string) => files.delete(path), /is lost/],
    [
      'has one bit changed',
      (files: Map<string, Uint8Array>, path: string) => {
        const bytes = Uint8Array.from(files.get(path) ?? []);
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        files.set(path, bytes);
      },
      /checksum/,
    ],
    [
      'is another file, whole',
      (files: Map<string, Uint8Array>, path: string) => {
        const other = [...files].find(([name, { length }]) => name !== path && length > 64);
        files.set(path, other?.[1] ?? new Uint8Array());
      },
      /another file/,
    ],
  ])('are seen when one %s', async (_, tamper, message) => {
    const { map, workload, worker } = await worked();
    const [path] = [...map.files].find(([, { length }]) => length > 64) ?? [''];
    tamper(map.files, path);
    await workload.lookAtAll(worker);
    expect(workload.violations).toEqual([expect.stringMatching(message)]);
    expect(workload.violations[0]).toContain(path);
  });
});
