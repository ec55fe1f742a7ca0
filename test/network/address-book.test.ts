/** @module What is known of peers, and what anybody may have said. */
import { describe, expect, it } from 'vitest';
import { AddressBook, parseAddress } from '../../src/network/address-book.ts';

const at = (port: number) => parseAddress(`/ip4/10.0.0.1/tcp/${port}`);
const ports = (book: AddressBook, peer: string): readonly string[] =>
  book.get(peer).map((address) => address.toString().split('/').at(-1) ?? '');

describe('the address book', () => {
  it('tries what was learned before what was heard, and lets hearsay displace nothing', () => {
    const book = new AddressBook();
    book.add('a', [at(1), at(2)]);
    book.hear(
      'a',
      Array.from({ length: 50 }, (_, index) => at(100 + index)),
    );
    expect(ports(book, 'a')).toEqual(['1', '2', '100', '101', '102', '103']);
  });

  it('forgets what was heard of a peer when something else is', () => {
    const book = new AddressBook();
    book.hear('a', [at(1)]);
    book.hear('a', [at(2)]);
    expect(ports(book, 'a')).toEqual(['2']);
  });

  it('keeps what was heard last of a flood of names, and all that it knew', () => {
    const book = new AddressBook();
    book.add('known', [at(1)]);
    for (let index = 0; index < 1_000; index += 1) book.hear(`p${index}`, [at(2)]);
    expect(book.heard().length).toBeLessThanOrEqual(256);
    expect(book.heard()).toContain('p999');
    expect(ports(book, 'known')).toEqual(['1']);
  });
});
