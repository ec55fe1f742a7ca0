/** @module What is written about members when they have moved, and what is left alone. */
import { beforeEach, expect, it } from 'vitest';
import { AddressWorker } from '../../src/metadata/address-worker.ts';
import type { Registration } from '../../src/metadata/datanode-registry.ts';
import { Member, type UpdateMember } from '../../src/namespace/schema.ts';

const NEVER = new AbortController().signal;
const SELF = 3;

let own: string[];
let members: Member[];
let registrations: Partial<Registration>[];
let driver: { id: number; leader: number; isLeader: boolean };
let featureLevel: number;

beforeEach(() => {
  own = ['/here'];
  members = [];
  registrations = [];
  driver = { id: SELF, leader: 1, isLeader: false };
  featureLevel = 2;
});

/** What it proposes, without what is empty: that stays as it is. */
async function proposed(): Promise<Partial<UpdateMember> | undefined> {
  let update: UpdateMember | undefined;
  const worker = new AddressWorker({
    network: { localPeer: 'p3' as never, addresses: () => own as never, learn: () => undefined },
    machine: { featureLevel },
    members: {
      byNumber: (number) => members.find((member) => member.number === number),
      withRole: () => members,
    },
    registry: { registrations: () => registrations as Registration[] },
    driver,
    proposer: {
      submitInternal: async (command: unknown) => {
        update = (command as { value: UpdateMember }).value;
        return undefined as never;
      },
    },
  });
  await worker.work(NEVER);
  if (update === undefined) return undefined;
  const isSaid = ([, value]: [string, unknown]): boolean =>
    value !== '' && value !== undefined && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(update).filter(isSaid));
}

const member = (number: number, fields: Partial<Member>): Member =>
  Member.fromPartial({ number, peer: `p${number}`, state: 'active', ...fields });

it('a node that has just joined, and knows of itself only that it is a metadata node, says nothing but its addresses', async () => {
  members = [member(SELF, { roles: ['meta'], addresses: ['/here', '/there'] })];
  expect(await proposed()).toEqual({ number: SELF, addresses: ['/here'] });
});

it('nothing is said of who has not moved, whatever the order of its addresses, nor without a leader', async () => {
  own = ['/here', '/there'];
  members = [member(SELF, { roles: ['meta', 'data'], addresses: ['/there', '/here'] })];
  expect(await proposed()).toBeUndefined();
  own = ['/elsewhere'];
  driver.leader = 0;
  expect(await proposed()).toBeUndefined();
});

it('a datanode that moved to another host is written by the leader alone, with what changed alone', async () => {
  const place = { host: 'h', zone: 'z', hostGroup: 'g' };
  members = [
    member(SELF, { addresses: ['/here'] }),
    member(5, { roles: ['data'], addresses: ['/old'], ...place }),
  ];
  registrations = [{ node: 5, addresses: ['/new'], ...place, host: 'other' }];
  expect(await proposed()).toBeUndefined();
  driver.isLeader = true;
  expect(await proposed()).toEqual({ number: 5, addresses: ['/new'], host: 'other' });
});

it('a group of hosts is said only where every version knows of groups', async () => {
  driver.isLeader = true;
  members = [
    member(SELF, { addresses: ['/here'] }),
    member(5, { roles: ['data'], addresses: ['/a'], host: 'h' }),
  ];
  registrations = [{ node: 5, addresses: ['/a'], host: '', zone: '', hostGroup: 'g' }];
  expect(await proposed()).toEqual({ number: 5, addresses: ['/a'], hostGroup: 'g' });
  featureLevel = 1;
  expect(await proposed()).toBeUndefined();
});
