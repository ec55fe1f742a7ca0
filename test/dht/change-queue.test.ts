/** @module The queue of one lane: the latest word wins, and nothing of an unanswered batch is lost. */
import { describe, expect, it } from 'vitest';
import { ChangeQueue } from '../../dht/change-queue.ts';
import { Delivery } from '../../dht/delivery.ts';
import { hashOf } from './index-world.ts';

const A = hashOf('a');
const B = hashOf('b');

function word(hash: string, present: boolean): Delivery {
  return new Delivery(hash, present, () => {});
}

describe('ChangeQueue', () => {
  it('gives out the oldest first, no more than asked for', () => {
    const queue = new ChangeQueue();
    for (const hash of [B, A]) queue.put(word(hash, true));
    expect([...queue.take(1).changes.keys()]).toEqual([B]);
    expect([...queue.take(5).changes.keys()]).toEqual([A]);
    expect(queue.size).toBe(0);
  });

  it('keeps the latest word and everybody who waits', () => {
    const queue = new ChangeQueue();
    const [first, second] = [word(A, true), word(A, false)];
    for (const each of [first, second, second]) queue.put(each);
    queue.putQuietly(A);
    expect(queue.take(5).changes.get(A)).toEqual({ present: false, deliveries: [first, second] });
  });

  it('repeats a failed batch before what came later, except where there is a newer word', () => {
    const queue = new ChangeQueue();
    const [announced, withdrawn] = [word(A, true), word(A, false)];
    queue.put(announced);
    queue.put(word(B, true));
    const failed = queue.take(5);
    queue.put(word(hashOf('c'), true));
    queue.put(withdrawn);
    queue.putBack(failed);
    const again = queue.take(5).changes;
    expect([...again.keys()]).toEqual([A, B, hashOf('c')]);
    expect(again.get(A)).toEqual({ present: false, deliveries: [announced, withdrawn] });
  });

  it('ends a batch at a reset, and repeats the reset with the batch', () => {
    const queue = new ChangeQueue();
    queue.putQuietly(A);
    queue.putReset();
    queue.putQuietly(B);
    const failed = queue.take(5);
    expect([[...failed.changes.keys()], failed.reset]).toEqual([[A], true]);
    queue.putBack(failed);
    const again = queue.take(5);
    expect([[...again.changes.keys()], again.reset]).toEqual([[A], true]);
    expect(queue.take(5)).toMatchObject({ reset: false });
  });

  it('drops what nobody waits for when told to', () => {
    const queue = new ChangeQueue();
    queue.putQuietly(A);
    queue.putReset();
    queue.put(word(B, true));
    expect(queue.dropSettled()).toBe(2);
    expect([...queue.take(5).changes.keys()]).toEqual([B]);
  });
});
