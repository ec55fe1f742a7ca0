import { describe, expect, it } from 'vitest';
import { encodeMessage } from '../../src/common/encode-message.ts';
import { Member } from '../../src/namespace/schema.ts';

const member = (peer: string): Member => Member.fromPartial({ number: 7, peer, roles: ['meta'] });
const OWN_BYTES = (message: Member): Uint8Array => Member.encode(message).finish();

describe('messages encoded with one writer', () => {
  it('are the bytes of their codec, one after the other, however long', () => {
    for (const length of [0, 1, 200, 100_000, 3, 70_000, 0])
      expect(encodeMessage(Member, member('p'.repeat(length)))).toEqual(
        OWN_BYTES(member('p'.repeat(length))),
      );
  });

  it('keep their bytes when the next one is encoded', () => {
    const first = encodeMessage(Member, member('first'));
    encodeMessage(Member, member('other'));
    expect(first).toEqual(OWN_BYTES(member('first')));
  });

  it('are whole after one that cannot be encoded', () => {
    expect(() => encodeMessage(Member, { ...member('half'), number: -1.5 })).toThrow();
    expect(encodeMessage(Member, member('next'))).toEqual(OWN_BYTES(member('next')));
  });
});
