/** @module Whether what is at risk leaves time for anything else. */
import { expect, it } from 'vitest';
import { type AtRiskBlock, AtRiskBlocks } from '../../../src/metadata/repair/at-risk-blocks.ts';

const block = (hash: string, more: Partial<AtRiskBlock>): AtRiskBlock => ({
  hash,
  sizeBytes: 1,
  wanted: 3,
  left: 2,
  counted: 2,
  leaving: [],
  readyMs: 0,
  ...more,
});

it('is urgent when something can be done now, not when it was just written or waits for a datanode', () => {
  const atRisk = new AtRiskBlocks();
  expect(atRisk.isUrgent(100)).toBe(false);
  atRisk.put(block('new', { readyMs: 200 }));
  atRisk.put(block('roomless', { stuck: 'no-target' }));
  atRisk.put(block('lost', { left: 0, stuck: 'no-copy' }));
  expect(atRisk.isUrgent(100)).toBe(false);
  expect(atRisk.isUrgent(200)).toBe(true);
  atRisk.remove('new');
  atRisk.put(block('waits', { left: 1, stuck: 'busy' }));
  expect(atRisk.isUrgent(100)).toBe(true);
});
