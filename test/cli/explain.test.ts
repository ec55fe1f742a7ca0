/** @module What `explain` says will happen next. */
import { describe, expect, it } from 'vitest';
import { formatDuration } from '../../cli/duration.ts';
import { nextOf } from '../../cli/explain.ts';

describe('what happens next to a file', () => {
  it('names the time left where copies are being made, and only there', () => {
    expect(nextOf('under-replicated', 90_000)).toContain(`in about ${formatDuration(90_000)}`);
    expect(nextOf('corrupt', 90_000)).toMatch(/in about/);
    expect(nextOf('under-replicated', undefined)).not.toMatch(/in about/);
    for (const state of ['healthy', 'misplaced', 'missing'] as const)
      expect(nextOf(state, 90_000)).toBe(nextOf(state, undefined));
  });
});
