/** @module SCALE.md: sections between markers are written by the benchmarks themselves, so that figures are those of one run. */
import { readFile, writeFile } from 'node:fs/promises';

const PAGE = new URL('./SCALE.md', import.meta.url);
export const PLOTS: URL = new URL('./plots/', import.meta.url);

/** Puts `body` between the markers of each named section of SCALE.md. */
export async function saveSections(sections: ReadonlyMap<string, string>): Promise<void> {
  let page = await readFile(PAGE, 'utf8');
  for (const [name, body] of sections) page = withSection(page, name, body);
  await writeFile(PAGE, page);
}

/** `page` with `body` between `<!-- NAME -->` and `<!-- end of NAME -->`. Throws when it has no such section. */
export function withSection(page: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`SCALE.md has no section between '${begin}' and '${end}'.`);
  return `${page.slice(0, from + begin.length)}\n${body}\n${page.slice(to)}`;
}
