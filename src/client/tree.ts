/** @module Reads of the tree that take many pages: list, walk, usage. */
import { isHoldfastError } from '../common/errors.ts';
import type { ListResponse } from '../protocol/messages.ts';
import { LIST, STAT } from '../protocol/methods.ts';
import type { ListEntry, ReadOptions, Usage, WalkEntry } from './client-options.ts';
import type { MetadataPeers } from './metadata-peers.ts';
import { statOf } from './result.ts';

/** Asked for at a time; a metadata node gives as many as it can without holding up others. */
const PAGE_ENTRIES = 1_000;

/** The next page is on its way while one is gone through. */
export async function* listDirectory(
  metadata: Pick<MetadataPeers, 'ask'>,
  path: string,
  options: ReadOptions,
): AsyncGenerator<ListEntry> {
  const ask = (after: string): Promise<ListResponse> =>
    metadata.ask(LIST, { path, after, limit: PAGE_ENTRIES, stale: options.stale ?? false }, options);
  for (let next: Promise<ListResponse> | undefined = ask(''); next !== undefined; ) {
    const { entries, more }: ListResponse = await next;
    const last = entries.at(-1);
    next = more && last !== undefined ? ask(last.name) : undefined;
    // Whoever stops before never looks at it; whoever goes on hears of its failure then.
    next?.catch(() => {});
    yield* entries;
  }
}

/** Holds one page per level at a time, never the whole tree. */
export async function* walkTree(
  metadata: MetadataPeers,
  path: string,
  options: ReadOptions,
): AsyncGenerator<WalkEntry> {
  const request = { path, stale: options.stale ?? false };
  const stat = statOf(STAT.name, (await metadata.ask(STAT, request, options)).stat);
  yield { path, stat };
  if (stat.kind !== 'directory') return;
  const levels = [{ path, entries: listDirectory(metadata, path, options) }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const entry = await nextEntry(level.entries, levels.length > 1);
    if (entry?.stat === undefined) {
      levels.pop();
      continue;
    }
    const child = joinPath(level.path, entry.name);
    yield { path: child, stat: entry.stat };
    if (entry.stat.kind === 'directory')
      levels.push({ path: child, entries: listDirectory(metadata, child, options) });
  }
}

export async function measureUsage(
  metadata: MetadataPeers,
  path: string,
  options: ReadOptions,
): Promise<Usage> {
  const usage = { files: 0, directories: 0, logicalBytes: 0, wantedBytes: 0 };
  for await (const { stat } of walkTree(metadata, path, options)) {
    if (stat.kind === 'directory') usage.directories += 1;
    else usage.files += 1;
    usage.logicalBytes += stat.sizeBytes;
    usage.wantedBytes += stat.sizeBytes * stat.replication;
  }
  return usage;
}

function joinPath(parent: string, name: string): string {
  return parent.endsWith('/') ? `${parent}${name}` : `${parent}/${name}`;
}

/** A directory below the top that was removed or moved since its parent was listed has no entries any more. */
async function nextEntry(
  entries: AsyncGenerator<ListEntry>,
  isBelowTop: boolean,
): Promise<ListEntry | undefined> {
  try {
    const { done, value } = await entries.next();
    return done === true ? undefined : value;
  } catch (error) {
    if (isBelowTop && isHoldfastError(error, 'NAMESPACE_NOT_FOUND', 'NAMESPACE_NOT_A_DIRECTORY'))
      return undefined;
    throw error;
  }
}
