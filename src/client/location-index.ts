/** @module The cluster's location index, for people who look into it. */
import { fromHex } from '../common/bytes.ts';
import type { BlockHash } from '../common/hashing.ts';
import type { IndexLookupResponse, IndexOverviewResponse } from '../protocol/index-view.ts';
import { INDEX_LOOKUP, INDEX_OVERVIEW } from '../protocol/methods.ts';
import type { ClientContext } from './client-context.ts';
import type { OperationOptions } from './client-options.ts';

/** What every metadata node says of its part; with `holders` also which node holds which shard. */
export function indexOverview(
  { metadata }: ClientContext,
  holders: boolean,
  options: OperationOptions,
): Promise<IndexOverviewResponse> {
  return metadata.ask(INDEX_OVERVIEW, { holders }, options);
}

/** One lookup as a metadata node does it, with every question it asks. */
export function explainLookup(
  { metadata }: ClientContext,
  hash: BlockHash,
  options: OperationOptions,
): Promise<IndexLookupResponse> {
  return metadata.ask(INDEX_LOOKUP, { hash: fromHex(hash) }, options);
}
