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
    expect([...queue.take(1).keys()]).toEqual([B]);
    expect([...queue.take(5).keys()]).toEqual([A]);
    expect(queue.size).toBe(0);
  });

  it('keeps the latest word and everybody who waits', () => {
    const queue = new ChangeQueue();
    const [first, second] = [word(A, true), word(A, false)];
    for (const each of [first, second, second]) queue.put(each);
    expect(queue.take(5).get(A)).toEqual({ present: false, deliveries: [first, second] });
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
    const again = queue.take(5);
    expect([...again.keys()]).toEqual([A, B, hashOf('c')]);
    expect(again.get(A)).toEqual({ present: false, deliveries: [announced, withdrawn] });
  });

  it('drops what nobody waits for any more when told to', () => {
    const queue = new ChangeQueue();
    const settled = word(A, true);
    settled.expect(['peer']);
    settled.takenBy('peer');
    queue.put(settled);
    queue.put(word(B, true));
    expect(queue.dropSettled()).toBe(1);
    expect([...queue.hashes()]).toEqual([B]);
  });
});
