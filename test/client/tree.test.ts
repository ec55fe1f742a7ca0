import { describe, expect, it } from 'vitest';
import { listDirectory } from '../../src/client/tree.ts';
import type { MetadataPeers } from '../../src/client/metadata-peers.ts';
import { ListRequest, ListResponse } from '../../src/protocol/messages.ts';

/** Pages of one entry each; asking behind the last name fails. */
function metadataOf(names: readonly string[]) {
  const asked: string[] = [];
  const ask = (_method: unknown, { after }: ListRequest): Promise<ListResponse> => {
    asked.push(after);
    const at = names.indexOf(after) + 1;
    const name = names[at];
    if (name === undefined) return Promise.reject(new Error('gone'));
    return Promise.resolve(ListResponse.fromPartial({ entries: [{ name }], more: true }));
  };
  return { asked, metadata: { ask } as unknown as MetadataPeers };
}

describe('listDirectory', () => {
  it('has the next page on its way while one is gone through, and never more than that', async () => {
    const { asked, metadata } = metadataOf(['a', 'b', 'c', 'd']);
    const seen: string[] = [];
    for await (const { name } of listDirectory(metadata, '/', {})) {
      seen.push(name);
      expect(asked).toEqual(['', 'a', 'b'].slice(0, seen.length + 1));
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['a', 'b']);
  });

  it('tells of a page that failed when it is its turn, and nobody of one that is never looked at', async () => {
    const seen: string[] = [];
    const list = async (): Promise<void> => {
      for await (const { name } of listDirectory(metadataOf(['a', 'b']).metadata, '/', {})) seen.push(name);
    };
    await expect(list()).rejects.toThrow('gone');
    expect(seen).toEqual(['a', 'b']);
    for await (const { name } of listDirectory(metadataOf(['a']).metadata, '/', {})) if (name === 'a') break;
  });
});
