import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LEAVE_JOINT, decodeConfChange, encodeConfChange } from '../../raft/conf-change-codec.ts';
import type { ConfChange } from '../../raft/types.ts';

const changes: fc.Arbitrary<ConfChange> = fc.record({
  transition: fc.constantFrom(
    'ConfChangeTransitionAuto',
    'ConfChangeTransitionJointImplicit',
    'ConfChangeTransitionJointExplicit',
  ),
  changes: fc.array(
    fc.record({
      type: fc.constantFrom(
        'ConfChangeAddNode',
        'ConfChangeRemoveNode',
        'ConfChangeUpdateNode',
        'ConfChangeAddLearnerNode',
      ),
      nodeId: fc.maxSafeNat(),
    }),
    { maxLength: 5 },
  ),
  context: fc.uint8Array({ maxLength: 20 }),
});

it('gives back every change that was encoded', () => {
  fc.assert(
    fc.property(changes, (change) => {
      expect(decodeConfChange(encodeConfChange(change))).toEqual(change);
    }),
  );
});

it('leaving a joint configuration is no bytes at all', () => {
  expect(encodeConfChange(LEAVE_JOINT)).toHaveLength(0);
});

it('refuses bytes that are no change, of whatever kind', () => {
  const good = encodeConfChange({ ...LEAVE_JOINT, changes: [{ type: 'ConfChangeAddNode', nodeId: 7 }] });
  for (const bad of [good.with(0, 9), good.with(1, 3), good.with(3, 2), good.with(4, 4), good.slice(0, 3)])
    expect(() => decodeConfChange(bad)).toThrow(expect.objectContaining({ code: 'RAFT_BAD_ENCODING' }));
});
