/** @module Tickets: read again by whoever issued them, and by nobody else. */
import { describe, expect, it } from 'vitest';
import { decodeTicket, encodeTicket, TicketOffice } from '../../src/network/session-ticket.ts';

const PEER = '12D3KooWJgNkhwUji6ZEcJ91E8Dzdj7DWfcnJ2jePbUAwyQYKm6k';

describe('a ticket', () => {
  it('tells its issuer whom it was given to, and the key that goes with it', () => {
    const office = new TicketOffice();
    const ticket = decodeTicket(encodeTicket(office.issue(PEER)));
    const redeemed = office.redeem(ticket.id);
    expect(redeemed?.peer).toBe(PEER);
    expect(Buffer.from(redeemed?.key ?? []).equals(ticket.key)).toBe(true);
  });

  it('has a key of its own, whoever it is for', () => {
    const office = new TicketOffice();
    expect(Buffer.from(office.issue(PEER).key).equals(office.issue(PEER).key)).toBe(false);
  });

  it('is worth nothing when another run issued it, when a bit of it is changed, or when it is none', () => {
    const office = new TicketOffice();
    const { id } = office.issue(PEER);
    expect(new TicketOffice().redeem(id)).toBeUndefined();
    const changed = Buffer.from(id, 'base64url');
    changed[30] = (changed[30] ?? 0) ^ 1;
    expect(office.redeem(changed.toString('base64url'))).toBeUndefined();
    expect(office.redeem('')).toBeUndefined();
    expect(office.redeem('a'.repeat(32))).toBeUndefined();
  });

  it('ends with its lifetime', () => {
    let nowMs = 5;
    const office = new TicketOffice(() => nowMs);
    const { id, lifetimeMs } = office.issue(PEER);
    nowMs += lifetimeMs;
    expect(office.redeem(id)).toMatchObject({ peer: PEER, lifeMs: 0 });
    nowMs += 1;
    expect(office.redeem(id)).toBeUndefined();
  });

  it('fits into what TLS takes for an identity', () => {
    // PSK_MAX_IDENTITY_LEN of OpenSSL before 3.0.
    expect(new TicketOffice().issue(PEER).id.length).toBeLessThanOrEqual(128);
  });

  it('is not taken from a peer that sends less than one, or more than TLS could use', () => {
    const ticket = { id: 'i', key: new Uint8Array(32), lifetimeMs: 1_000 };
    expect(decodeTicket(encodeTicket({ ...ticket, id: 'i'.repeat(256) })).id).toHaveLength(256);
    for (const id of ['', 'i'.repeat(257)])
      expect(() => decodeTicket(encodeTicket({ ...ticket, id }))).toThrow(/a ticket of/);
  });
});
