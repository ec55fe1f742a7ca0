/** @module The beginning of a source, looked at before it is decided what to do with all of it. */
import type { PutSource } from './client-options.ts';

export interface PeekedSource {
  /** Bytes seen: all there are, or at least as many as were asked for. */
  readonly seenBytes: number;
  /** The whole source, what was seen included. Iterate once. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Reads chunks until there are `enoughBytes` of them, and holds these. A failing source fails here or when iterated. */
export async function peekSource(source: PutSource, enoughBytes: number): Promise<PeekedSource> {
  const chunks = (source instanceof Uint8Array ? oneChunk(source) : source)[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let seenBytes = 0;
  while (seenBytes < enoughBytes) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    // The source may use its memory for the next one.
    seen.push(Uint8Array.from(value));
    seenBytes += value.byteLength;
  }
  return { seenBytes, bytes: replay(seen, chunks) };
}

async function* replay(
  seen: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* seen;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
