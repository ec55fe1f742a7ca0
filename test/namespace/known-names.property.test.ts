import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KnownNames } from '../../src/namespace/known-names.ts';

type Step = { readonly do: 'make' | 'add'; readonly directory: number; readonly name: number };

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('make', 'add', 'add', 'add'),
  directory: fc.nat(5),
  name: fc.nat(30),
});

it('never calls a name absent that was added, within any bound, and knows every other one of a directory it holds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 300 }), (steps, maxNames) => {
      const names = new KnownNames(maxNames);
      const model = new Map<number, Set<number>>();
      for (const { do: what, directory, name } of steps) {
        const held = model.get(directory);
        if (what === 'make' && held === undefined) {
          model.set(directory, new Set());
          names.directoryMade(String(directory));
        } else if (what === 'add') {
          // Also into directories from before the start, of which nothing may be claimed.
          held?.add(name);
          names.nameAdded(String(directory), `n${name}`);
        }
      }
      const isRoomy = maxNames >= 250;
      for (let directory = 0; directory <= 5; directory += 1)
        for (let name = 0; name <= 30; name += 1) {
          const held = model.get(directory);
          const absent = names.isAbsent(String(directory), `n${name}`);
          if (held === undefined || held.has(name)) expect(absent).toBe(false);
          else if (isRoomy) expect(absent).toBe(true);
        }
    }),
    { numRuns: 50 },
  );
});
