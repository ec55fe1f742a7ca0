import { describe, expect, it } from 'vitest';
import { EarlyReads } from '../../src/metadata/early-reads.ts';

/** A node whose majority answers when told to, and whose state is its applied index. */
class Node {
  appliedIndex = 1;
  /** The state that each read saw. */
  readonly seen: number[] = [];
  readonly #questions: PromiseWithResolvers<void>[] = [];
  readonly #reads = new EarlyReads({
    machine: this,
    barrier: {
      wait: () => {
        const question = Promise.withResolvers<void>();
        this.#questions.push(question);
        return question.promise;
      },
    },
  });

  read(): Promise<number> {
    return this.#reads.read(async () => {
      this.seen.push(this.appliedIndex);
      if (this.appliedIndex % 2 === 0) throw new Error(`odd about ${this.appliedIndex}`);
      return this.appliedIndex;
    });
  }

  confirm(): void {
    this.#questions.shift()?.resolve();
  }

  refuse(error: Error): void {
    this.#questions.shift()?.reject(error);
  }
}

/** All that can happen by itself has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('EarlyReads', () => {
  it('reads once, while the majority is asked', async () => {
    const node = new Node();
    const reading = node.read();
    await settled();
    expect(node.seen).toEqual([1]);
    node.confirm();
    expect(await reading).toBe(1);
    expect(node.seen).toEqual([1]);
  });

  it('says nothing before the majority has answered', async () => {
    const node = new Node();
    let isSaid = false;
    const reading = node.read().then(() => (isSaid = true));
    await settled();
    expect(isSaid).toBe(false);
    node.confirm();
    await reading;
  });

  it('reads again what was applied meanwhile', async () => {
    const node = new Node();
    const reading = node.read();
    await settled();
    node.appliedIndex = 3;
    node.confirm();
    expect(await reading).toBe(3);
  });

  it('reads once, afterwards, as long as something is applied during each read', async () => {
    const node = new Node();
    for (const index of [3, 5, 7]) {
      const reading = node.read();
      await settled();
      node.appliedIndex = index;
      node.confirm();
      expect(await reading).toBe(index);
    }
    expect(node.seen).toEqual([1, 3, 5, 7]);
    const quiet = node.read();
    await settled();
    node.confirm();
    await quiet;
    const early = node.read();
    await settled();
    expect(node.seen).toEqual([1, 3, 5, 7, 7, 7]);
    node.confirm();
    await early;
  });

  it('fails with what the newest state makes of it, and not with what an older one did', async () => {
    const node = new Node();
    node.appliedIndex = 2;
    const early = node.read();
    await settled();
    node.appliedIndex = 3;
    node.confirm();
    expect(await early).toBe(3);
    node.appliedIndex = 4;
    const late = node.read();
    await settled();
    node.confirm();
    await expect(late).rejects.toThrow('odd about 4');
  });

  it('fails where no majority answers, whatever was read', async () => {
    const node = new Node();
    const reading = node.read();
    await settled();
    node.refuse(new Error('no majority'));
    await expect(reading).rejects.toThrow('no majority');
  });

  it('lets nobody miss the refusal of a majority that comes after a read that threw at once', async () => {
    const unheard: unknown[] = [];
    const listen = (reason: unknown): void => void unheard.push(reason);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', listen);
    try {
      const question = Promise.withResolvers<void>();
      const reads = new EarlyReads({
        machine: { appliedIndex: 1 },
        barrier: { wait: () => question.promise },
      });
      const reading = reads.read(() => {
        throw new Error('closed');
      });
      await expect(reading).rejects.toThrow('closed');
      question.reject(new Error('no majority'));
      await settled();
      expect(unheard).toEqual([]);
    } finally {
      process.removeListener('unhandledRejection', listen);
      for (const other of others) process.on('unhandledRejection', other);
    }
  });
});
