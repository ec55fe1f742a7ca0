/**
 * @module How cost grows: `npm run bench -- scale [--only files,blocks,datanodes,placement,clients] [--files 1000000]
 * [--blocks 100000] [--datanodes 30] [--clients 256] [--save] [--json]`; each number is the largest size of its dimension.
 *
 * Says the slope of each figure in log-log coordinates, and ends with status 1 when one grows faster than n log n. With
 * `--save` tables and pictures take the place of those in SCALE.md and plots/, each as soon as it is measured.
 * SCALE.md has figures, and model.ts what follows from them for clusters that no machine here can hold.
 */
import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { BadRequest, chosenOf, positive } from '../bench-request.ts';
import { round } from '../statistics.ts';
import { clientGrowth } from './client-growth.ts';
import { datanodeGrowth } from './datanode-growth.ts';
import { fileGrowth } from './file-growth.ts';
import { type Dimension, type Growth, type Point, seriesOf } from './growth.ts';
import { growthPlot } from './growth-plot.ts';
import { growthTable } from './growth-table.ts';
import { namespaceGrowth } from './namespace-growth.ts';
import { placementGrowth } from './placement-growth.ts';
import { PLOTS, saveSections } from './scale-page.ts';

const OPTIONS = {
  only: { type: 'string', default: 'files,blocks,datanodes,placement,clients' },
  files: { type: 'string', default: '1000000' },
  blocks: { type: 'string', default: '100000' },
  datanodes: { type: 'string', default: '30' },
  clients: { type: 'string', default: '256' },
  save: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

const options = request();
const DIMENSIONS = [
  { name: 'files', of: () => namespaceGrowth(upTo(options.files, [1e3, 1e4, 1e5, 1e6, 1e7])) },
  { name: 'blocks', of: () => fileGrowth(upTo(options.blocks, [1e3, 1e4, 1e5, 1e6])) },
  { name: 'datanodes', of: () => datanodeGrowth(upTo(options.datanodes, [3, 10, 30, 100])) },
  { name: 'placement', of: () => placementGrowth([3, 10, 30, 100, 300, 1_000]) },
  { name: 'clients', of: () => clientGrowth(upTo(options.clients, [1, 4, 16, 64, 256])) },
];
const growths: Growth[] = [];
for (const { name, of } of chosenOf(options.only, DIMENSIONS)) {
  const growth = await measureGrowth(of());
  growths.push(growth);
  const table = growthTable(growth);
  if (!options.json) console.log(`${table}\n`);
  if (!options.save) continue;
  await saveSections(new Map([[name, table]]));
  await writeFile(new URL(`${name}.svg`, PLOTS), growthPlot(growth));
}
if (options.json) console.log(JSON.stringify(growths));
if (growths.some(({ series }) => series.some(({ isWorse }) => isWorse))) process.exitCode = 1;

async function measureGrowth({ name, of, sizes, figures, measure, end }: Dimension): Promise<Growth> {
  const loadBefore = round(loadavg()[0] ?? 0, 1);
  const points = new Map<string, Point[]>(Object.keys(figures).map((key) => [key, []]));
  try {
    for (const size of sizes) {
      const startMs = performance.now();
      const measured = await measure(size);
      const seconds = Math.round((performance.now() - startMs) / 1_000);
      // A large size may take longer than somebody waits.
      process.stderr.write(`${name}: ${size} ${of} in ${seconds} s: ${JSON.stringify(measured)}\n`);
      for (const [key, value] of Object.entries(measured)) points.get(key)?.push({ size, value });
    }
  } finally {
    await end?.();
  }
  const series = Object.entries(figures).map(([key, kind]) => seriesOf(kind, points.get(key) ?? []));
  return { name, of, loadBefore, loadAfter: round(loadavg()[0] ?? 0, 1), series };
}

/** The sizes up to `largest`, and itself. */
function upTo(largest: number, sizes: readonly number[]): readonly number[] {
  return [...sizes.filter((size) => size < largest), largest];
}

function request() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    return {
      ...values,
      files: positive('files', values.files),
      blocks: positive('blocks', values.blocks),
      datanodes: positive('datanodes', values.datanodes),
      clients: positive('clients', values.clients),
    };
  } catch (error) {
    throw error instanceof BadRequest ? error : new BadRequest((error as Error).message, { cause: error });
  }
}
