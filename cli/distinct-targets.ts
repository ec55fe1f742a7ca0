/** @module Several sources into one directory: no two of them may become the same thing there. */
import { usage } from './errors.ts';

/** The later would silently take the place of the earlier: of a file that was moved nothing would be left. Errors: CLI_USAGE. */
export function refuseTwins(sources: readonly string[], targetOf: (source: string) => string): void {
  const taken = new Map<string, string>();
  for (const source of sources) {
    const target = targetOf(source);
    const earlier = taken.get(target);
    if (earlier !== undefined)
      throw usage(
        `${earlier} and ${source} would both become ${target}, and nothing was done. Take them one by one, under different names.`,
      );
    taken.set(target, source);
  }
}
