import { describe, expect, it } from 'vitest';
import { measureSuite } from './measure-suite.ts';
import type { Case, Contender } from './suite.ts';
import { suitePlot } from './suite-plot.ts';
import { suiteTable } from './suite-table.ts';

const RATE: Case = { name: 'write', unit: '/s', per: '1,000 files' };
const TIME: Case = { name: 'heal', unit: 's', per: 'kill' };

describe('measureSuite', () => {
  it('lets the contenders take turns within each case, and each begin every other run', async () => {
    const turns: string[] = [];
    const contenders = [contender('ours', [1], turns), contender('peer', [1], turns)] as const;
    await measureSuite('suite', [RATE, TIME], contenders, { runs: 2, onRun: () => turns.push('|') });
    expect(turns.join(' ')).toBe(
      '| ours:write peer:write ours:heal peer:heal | peer:write ours:write peer:heal ours:heal',
    );
  });

  it('compares medians, so that more is better for a rate and less for a time', async () => {
    const contenders = [contender('ours', [10, 40, 20]), contender('peer', [10, 10, 900])] as const;
    const { cases } = await measureSuite('suite', [RATE, TIME], contenders, { runs: 3, onRun: () => {} });
    expect(cases.map(({ ratio }) => ratio)).toEqual([{ peer: 2 }, { peer: 0.5 }]);
  });
});

describe('a report', () => {
  it('says beside the figures what each side promises, in text and with a bar for each in the picture', async () => {
    const contenders = [contender('ours', [10]), contender('<peer>', [20])] as const;
    const report = await measureSuite('suite', [RATE], contenders, { runs: 1, onRun: () => {} });
    const table = suiteTable(report);
    expect(table).toContain('| write, /s (CPU s per 1,000 files) |');
    expect(table).toContain('ours: ours keeps it; peak 7 MiB a process');
    expect(table).toContain('<peer>: <peer> keeps it');
    const plot = suitePlot(report);
    expect(plot.match(/<rect x/g)).toHaveLength(2);
    expect(plot).toContain('&lt;peer&gt;');
  });
});

/** Gives `figures` in turn for each case. */
function contender(name: string, figures: readonly number[], turns: string[] = []): Contender {
  const taken = new Map<string, number>();
  return {
    name,
    durability: `${name} keeps it`,
    async measure(what) {
      turns.push(`${name}:${what.name}`);
      const turn = taken.get(what.name) ?? 0;
      taken.set(what.name, turn + 1);
      return { figure: figures[turn % figures.length] ?? 0, cpuSeconds: 1 };
    },
    peakRssMib: () => 7,
    stop: async () => {},
  };
}
