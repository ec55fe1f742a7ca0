/** @module Each bug that others shipped, as a short course of events: where the bug is not, the claim holds. */
import { readdirSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { BugScenario } from '../../simulations/bug-scenario.ts';

const FOLDER = new URL('../../simulations/scenarios/', import.meta.url);

describe('shipped bugs', async () => {
  for (const file of readdirSync(FOLDER).toSorted()) {
    const { scenario } = (await import(new URL(file, FOLDER).href)) as { scenario: BugScenario };
    it(`${file.replace('.ts', '')}: ${scenario.claim}`, scenario.run);
  }
});
