/** @module What a client keeps of the answers about members. */
import { beforeEach, expect, it } from 'vitest';
import { MemberMap } from '../../src/client/member-map.ts';
import { MembersResponse } from '../../src/protocol/messages.ts';

const data = (number: number, more: object = {}): object => ({
  number,
  roles: ['data'],
  state: 'active',
  ...more,
});
const answer = (version: number, members: readonly object[], more: object = {}): MembersResponse =>
  MembersResponse.fromPartial({ version, members: [...members], cluster: { epoch: 1 }, ...more } as never);

let map: MemberMap;
beforeEach(() => {
  map = new MemberMap();
});

it('asks for everything once, then for what changed, and puts the changes into place', () => {
  expect(map.datanodes).toBeUndefined();
  expect(map.question()).toMatchObject({ knownVersion: 0 });
  map.take(answer(5, [data(1), data(2), data(3)]));
  expect(map.question()).toMatchObject({ knownVersion: 5, knownEpoch: 1 });
  map.take(answer(7, [data(2, { liveness: 'dead' }), data(3, { state: 'left' })], { isChange: true }));
  expect(map.datanodes).toBe(2);
  expect([1, 2, 3, 4].map((number) => map.isAway(number))).toEqual([false, true, true, false]);
});

it('does not go back to an older answer, and takes no changes for the whole list of a new epoch', () => {
  map.take(answer(7, [data(1), data(2)]));
  map.take(answer(6, [data(1)]));
  expect(map.datanodes).toBe(2);
  map.take(answer(3, [data(9)], { isChange: true, cluster: { epoch: 2 } }));
  expect(map.datanodes).toBe(2);
  map.take(answer(3, [data(9)], { cluster: { epoch: 2 } }));
  expect(map.all().map(({ number }) => number)).toEqual([9]);
});
