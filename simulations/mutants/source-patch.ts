/** @module Puts a bug back while the code is loaded: on the disk, and in what ships, nothing of it can ever be. */
import { registerHooks } from 'node:module';
import type { Mutant } from './mutant.ts';

const ROOT = new URL('../../', import.meta.url);

/** The mutant's place is not in its file, or not once: the file has changed and the mutant must follow. */
export class PatchDoesNotApply extends Error {
  override readonly name: string = 'PatchDoesNotApply';
}

export function sourceUrl({ file }: Mutant): URL {
  return new URL(file, ROOT);
}

/** `source` with the bug in it. Throws PatchDoesNotApply. */
export function patchSource(source: string, { name, file, find, replace }: Mutant): string {
  const times = source.split(find).length - 1;
  if (times !== 1)
    throw new PatchDoesNotApply(
      `Mutant ${name}: ${file} holds this ${times} times, not once. Adapt the mutant to the file.\n${find}`,
    );
  if (find === replace) throw new PatchDoesNotApply(`Mutant ${name} changes nothing.`);
  return source.replace(find, () => replace);
}

/** From now on the file is loaded with the bug in it. Must be called before anything has loaded it; `isDone` says whether it was. */
export function patchWhenLoaded(mutant: Mutant): { readonly isDone: () => boolean } {
  const target = sourceUrl(mutant).href;
  let isDone = false;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
      isDone = true;
      return { ...loaded, source: patchSource(source, mutant) };
    },
  });
  return { isDone: () => isDone };
}
