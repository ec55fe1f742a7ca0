import { describe, expect, it } from 'vitest';
import { GatheredReads } from '../../src/storage/gathered-reads.ts';
import type { Sql } from '../../src/storage/sql-database.ts';
import type { SqlRow, SqlValue } from '../../src/storage/sql-value.ts';

/** Answers when told to; knows the rows whose key begins with 'k'. */
class SlowSql implements Sql {
  readonly asked: (readonly SqlValue[])[] = [];
  readonly #answers: PromiseWithResolvers<SqlRow[]>[] = [];

  all(_text: string, values: readonly SqlValue[] = []): Promise<SqlRow[]> {
    this.asked.push([...new Set(values)]);
    const answer = Promise.withResolvers<SqlRow[]>();
    this.#answers.push(answer);
    return answer.promise;
  }

  run(): Promise<void> {
    throw new Error('only reads are expected');
  }

  answer(read: number): void {
    const keys = (this.asked[read] ?? []).filter((key) => String(key).startsWith('k'));
    this.#answers[read]?.resolve(keys.map((key) => ({ key, value: new TextEncoder().encode(String(key)) })));
  }

  fail(read: number): void {
    this.#answers[read]?.reject(new Error('the disk is gone'));
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('gathered reads', () => {
  it('asks at once for the first, and once for all that come while it is under way', async () => {
    const sql = new SlowSql();
    const reads = new GatheredReads(sql);
    const first = reads.get('inode', ['k1']);
    await turn();
    const others = ['k2', 'k3', 'absent'].map((key) => reads.get('inode', [key]));
    await turn();
    expect(sql.asked).toEqual([['k1']]);

    sql.answer(0);
    expect([...(await first).keys()]).toEqual(['k1']);
    await turn();
    expect(sql.asked).toEqual([['k1'], ['k2', 'k3', 'absent']]);
    sql.answer(1);
    const [second, third, absent] = await Promise.all(others);
    expect(second?.has('k2')).toBe(true);
    expect(third?.has('k3')).toBe(true);
    expect(absent?.has('absent')).toBe(false);
  });

  it('never answers from a read that began before the question', async () => {
    const sql = new SlowSql();
    const reads = new GatheredReads(sql);
    void reads.get('inode', ['k1']);
    await turn();
    const again = reads.get('inode', ['k1']);
    sql.answer(0);
    await turn();
    expect(sql.asked).toHaveLength(2);
    sql.answer(1);
    expect((await again).has('k1')).toBe(true);
  });

  it('reads tables side by side', async () => {
    const sql = new SlowSql();
    const reads = new GatheredReads(sql);
    void reads.get('inode', ['k1']);
    void reads.get('dirent', ['k1']);
    await turn();
    expect(sql.asked).toHaveLength(2);
  });

  it('tells a failure to those whose read it was, and reads on', async () => {
    const sql = new SlowSql();
    const reads = new GatheredReads(sql);
    const failing = reads.get('inode', ['k1']);
    await turn();
    const next = reads.get('inode', ['k2']);
    sql.fail(0);
    await expect(failing).rejects.toThrow('the disk is gone');
    await turn();
    sql.answer(1);
    expect((await next).has('k2')).toBe(true);
  });
});
