/**
 * @module What a cluster would need that no machine here can hold, from coefficients measured on small ones, and what
 * breaks first: `npm run bench -- model [--datanodes 1000] [--blocks 1000000000] [--blocks-per-file 1] [--metadata-nodes 5] [--json] [--save]`.
 */
import { parseArgs } from 'node:util';
import { BadRequest, positive } from '../bench-request.ts';
import { markdownTable } from '../markdown-table.ts';
import { COEFFICIENTS } from './model-coefficients.ts';
import { type ClusterShape, type Need, needsOf } from './model-needs.ts';
import { saveSections } from './scale-page.ts';

/** A cluster so many times as large has broken in every respect. */
const MOST_TIMES = 1e6;
const HALVINGS = 60;

const { shape, json, save } = request();
const rows = needsOf(COEFFICIENTS)
  .map((need) => ({ ...need, at: need.of(shape), breaksAtBlocks: breakingBlocks(need) }))
  .toSorted((a, b) => a.breaksAtBlocks - b.breaksAtBlocks);
if (json) console.log(JSON.stringify({ shape, coefficients: COEFFICIENTS, rows }));
else {
  const head = ['what', 'needs', 'bears', 'unit', 'breaks at blocks'];
  const cells = rows.map(({ name, at, limit, unit, breaksAtBlocks }) => [
    name,
    short(at),
    short(limit),
    unit,
    breaksAtBlocks === Infinity ? 'never' : short(breaksAtBlocks),
  ]);
  const table = markdownTable(head, cells);
  console.log(table);
  if (save) await saveSections(new Map([['model', table]]));
  const [first] = rows;
  if (first !== undefined)
    console.log(
      `\nBreaks first, at ${short(first.breaksAtBlocks)} blocks: ${first.name} (${first.because}).`,
    );
}

/** The cluster grows, files and datanodes with its blocks; the metadata nodes stay as many as they are. */
function breakingBlocks({ of, limit }: Need): number {
  const grown = (times: number): ClusterShape => ({
    ...shape,
    blocks: shape.blocks * times,
    datanodes: shape.datanodes * times,
  });
  if (of(grown(MOST_TIMES)) <= limit) return Infinity;
  let [bears, breaks] = [1 / shape.blocks, MOST_TIMES];
  for (let at = 0; at < HALVINGS; at++) {
    const middle = Math.sqrt(bears * breaks);
    if (of(grown(middle)) <= limit) bears = middle;
    else breaks = middle;
  }
  return shape.blocks * bears;
}

/** Three digits. */
function short(value: number): string {
  return value >= 1e5 || value < 0.01 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

function request(): { readonly shape: ClusterShape; readonly json: boolean; readonly save: boolean } {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      options: {
        datanodes: { ...text, default: '1000' },
        blocks: { ...text, default: '1000000000' },
        'blocks-per-file': { ...text, default: '1' },
        'metadata-nodes': { ...text, default: '5' },
        json: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
      },
    });
    const shapeOf: ClusterShape = {
      datanodes: positive('datanodes', values.datanodes),
      blocks: positive('blocks', values.blocks),
      blocksPerFile: positive('blocks-per-file', values['blocks-per-file']),
      metadataNodes: positive('metadata-nodes', values['metadata-nodes']),
    };
    return { shape: shapeOf, json: values.json, save: values.save };
  } catch (error) {
    throw error instanceof BadRequest ? error : new BadRequest((error as Error).message, { cause: error });
  }
}
