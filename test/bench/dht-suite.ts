/**
 * @module The location index: `npm run bench -- dht [--only rates,memory,spill,changes,restart,formation] [--blocks 1000000]
 * [--copies 1] [--records 10000000] [--nodes 30]`.
 *
 * rates: announced and looked-up records a second, batches of 256, three holders of five metadata processes, and the table alone.
 * memory: bytes a record of one holder, and the latency of lookups from another process.
 * spill: one holder with memory for a fifth of its records, against the same one with memory for all; in its own process.
 * changes: a metadata node joins, one is killed, while a client looks up without pause.
 * restart: all metadata nodes are restarted with nothing, while clients look up one block and many, without pause.
 * formation: many real nodes form a cluster, do nothing for a while, and survive a rolling restart of all beside a client.
 */
import { MIB } from '../../src/common/bytes.ts';
import { chosenOf } from './bench-request.ts';
import { type IndexChanges, measureChanges } from './dht-changes.ts';
import { type Formation, measureFormation } from './dht-formation.ts';
import { type IndexMemory, measureMemory } from './dht-memory.ts';
import { type IndexRestart, measureRestart } from './dht-restart.ts';
import { type IndexSpill, measureSpill } from './dht-spill.ts';
import type { SpillMeasure } from './dht-spill-holder.ts';
import { type IndexRates, measureRates } from './dht-rates.ts';
import { type PartCase, PartContender } from './part-contender.ts';
import { round } from './statistics.ts';
import type { Suite } from './suite.ts';
import type { IndexSize } from './synthetic-index.ts';

const MILLION = '10^6 records';
const defaults = {
  only: 'rates,memory,spill,changes,restart,formation',
  blocks: 1_000_000,
  copies: 1,
  records: 10_000_000,
  nodes: 30,
};

export const suite: Suite<PartCase, typeof defaults> = {
  options: defaults,
  runs: 1,
  plan({ only, blocks, copies, records, nodes }) {
    const parts = [
      { name: 'rates', cases: ratesOf() },
      { name: 'memory', cases: memoryOf(records) },
      { name: 'spill', cases: spillOf(records) },
      { name: 'changes', cases: changesOf({ blocks, copies }) },
      { name: 'restart', cases: restartOf({ blocks, copies }) },
      { name: 'formation', cases: formationOf(nodes) },
    ];
    const durability =
      'in memory, told again by datanodes; a record counts when two of three holders have it';
    return {
      cases: chosenOf(only, parts).flatMap((part) => part.cases),
      holdfast: async () => new PartContender(durability),
      peers: {},
    };
  },
};

function ratesOf(): PartCase[] {
  const rateOf = (
    name: string,
    rate: (rates: IndexRates) => { readonly perSecond: number; readonly cpuMicroseconds: number },
  ): PartCase => ({
    name,
    unit: '/s',
    per: MILLION,
    run: measureRates,
    figure: (rates: IndexRates) => rate(rates).perSecond,
    // Microseconds a record are seconds a million.
    cpuSeconds: (rates: IndexRates) => rate(rates).cpuMicroseconds,
  });
  return [
    rateOf('announce', ({ network }) => network.announce),
    rateOf('look up', ({ network }) => network.lookup),
    rateOf('announce, table alone', ({ table }) => table.announce),
    rateOf('look up, table alone', ({ table }) => table.lookup),
  ];
}

function memoryOf(records: number): PartCase[] {
  const part = { per: 'the part', run: () => measureMemory(records) };
  return [
    {
      ...part,
      name: 'memory a record',
      unit: 'B',
      figure: (memory: IndexMemory) => memory.residentBytesPerRecord,
    },
    {
      ...part,
      name: 'look up 16, median',
      unit: 'ms',
      figure: (memory: IndexMemory) => round(memory.lookupP50Ms, 2),
    },
  ];
}

function spillOf(records: number): PartCase[] {
  const part = { per: 'the part', run: () => measureSpill(records) };
  const caseOf = (
    name: string,
    unit: PartCase['unit'],
    pick: (measure: SpillMeasure) => number,
  ): PartCase[] => [
    { ...part, name: `${name}, all in memory`, unit, figure: ({ resident }: IndexSpill) => pick(resident) },
    { ...part, name: `${name}, a fifth`, unit, figure: ({ spilled }: IndexSpill) => pick(spilled) },
  ];
  return [
    ...caseOf('announce', '/s', (measure) => measure.announcedPerSecond),
    // Microseconds a record are seconds a million.
    ...caseOf('announce a million, CPU', 's', (measure) => round(measure.announceCpuMicroseconds, 1)),
    ...caseOf('look up', '/s', (measure) => measure.lookedUpPerSecond),
    ...caseOf('look up a million, CPU', 's', (measure) => round(measure.lookupCpuMicroseconds, 1)),
    ...caseOf('look up 16, p99', 'ms', (measure) => round(measure.lookupP99Ms, 2)),
    ...caseOf('resident', 'B', (measure) => measure.residentBytes),
    ...caseOf('table', 'B', (measure) => measure.tableBytes),
    ...caseOf('on disk', 'B', (measure) => measure.bytesOnDisk),
  ];
}

function changesOf(size: IndexSize): PartCase[] {
  const part = { unit: 's', per: 'the part', run: () => measureChanges(size) } as const;
  return [
    { ...part, name: 'one joins', figure: ({ joined }: IndexChanges) => joined.completeSeconds },
    { ...part, name: 'one is killed', figure: ({ killed }: IndexChanges) => killed.completeSeconds },
  ];
}

function restartOf(size: IndexSize): PartCase[] {
  const part = { unit: 's', per: 'the part', run: () => measureRestart(size) } as const;
  return [
    {
      ...part,
      name: 'all restart, first block found',
      figure: ({ one }: IndexRestart) => one.firstAnswerSeconds,
    },
    { ...part, name: 'all restart, whole', figure: ({ wholeSeconds }: IndexRestart) => wholeSeconds },
  ];
}

function formationOf(nodes: number): PartCase[] {
  const part = { per: 'the part', run: () => measureFormation(nodes) };
  return [
    {
      ...part,
      name: `${nodes} nodes form`,
      unit: 's',
      figure: ({ formedSeconds }: Formation) => formedSeconds,
      cpuSeconds: ({ formedCpuSeconds }: Formation) => formedCpuSeconds,
    },
    {
      ...part,
      name: 'CPU of an idle metadata node, a second',
      unit: 'ms',
      figure: ({ idle }: Formation) => round(idle.perMetadataNode * 1000, 1),
    },
    {
      ...part,
      name: 'CPU of an idle datanode, a second',
      unit: 'ms',
      figure: ({ idle }: Formation) => round(idle.perDatanode * 1000, 1),
    },
    {
      ...part,
      name: 'memory of an idle node',
      unit: 'B',
      figure: ({ idle }: Formation) => idle.proportionalMib * MIB,
    },
    {
      ...part,
      name: 'all restart in turn',
      unit: 's',
      figure: ({ rollingRestart }: Formation) => rollingRestart.seconds,
    },
  ];
}
