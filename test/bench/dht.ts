/**
 * @module The location index measured: `node test/bench/dht.ts [--only rates,memory,changes,formation] [--blocks 1000000]
 * [--copies 1] [--records 10000000] [--nodes 30] [--json]`.
 *
 * rates: announced and looked-up records a second, batches of 256, three holders of five metadata processes.
 * memory: bytes a record of one holder, and the latency of lookups from another process.
 * changes: a metadata node joins, one is killed, all are restarted with nothing, while a client looks up without pause.
 * formation: many real nodes form a cluster and survive a rolling restart of all of them.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureChanges } from './dht-changes.ts';
import { measureFormation } from './dht-formation.ts';
import { measureMemory } from './dht-memory.ts';
import { measureRates } from './dht-rates.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'rates,memory,changes,formation' },
    blocks: { type: 'string', default: '1000000' },
    copies: { type: 'string', default: '1' },
    records: { type: 'string', default: '10000000' },
    nodes: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  },
});
const PARTS: Readonly<Record<string, () => Promise<object>>> = {
  rates: measureRates,
  memory: () => measureMemory(Number(values.records)),
  changes: () => measureChanges({ blocks: Number(values.blocks), copies: Number(values.copies) }),
  formation: () => measureFormation(Number(values.nodes)),
};
const report: Record<string, object> = {};
for (const name of values.only.split(',')) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`no part '${name}': one of ${Object.keys(PARTS).join(', ')}`);
  const before = loadavg()[0];
  report[name] = { loadAverageBefore: before, ...(await part()) };
  if (!values.json) console.log(name, report[name]);
}
if (values.json) console.log(JSON.stringify(report));
