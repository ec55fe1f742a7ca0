import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkHistoryText } from '../../../simulations/checks/history-file.ts';

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`histories/${name}`, import.meta.url)), 'utf8');
const verdicts = read('verdicts.tsv')
  .trim()
  .split('\n')
  .map((line) => line.split('\t') as [string, string]);

describe('a history of another project', () => {
  it.each(verdicts)('%s: linearizable is %s', (file, isLinearizable) => {
    expect(String(checkHistoryText(read(file)).isLinearizable)).toBe(isLinearizable);
  });
});

describe('a file', () => {
  const jepsen = (process: number, rest: string): string => `INFO  jepsen.util - ${process}\t${rest}\n`;
  const read3 = `${jepsen(3, ':invoke\t:read\tnil')}`;

  it.each([
    ['nothing', '', 1],
    ['something else', '\nhello\n', 2],
    ['an answer to nobody', jepsen(3, ':ok\t:read\tnil'), 1],
    ['a question before the answer', read3 + read3, 2],
    ['an answer to another question', read3 + jepsen(3, ':ok\t:write\t1'), 2],
    ['a value that is none', `${read3}\n${jepsen(3, ':ok\t:read\tx')}`, 3],
    ['an operation nobody knows', jepsen(3, ':invoke\t:enqueue\t1'), 1],
    ['half a line', `${read3}INFO  jep`, 2],
    ['half a map', '{:process 0, :type :invoke, :f :get', 1],
    ['a map without a process', '{:type :invoke, :f :get, :key "x", :value nil}', 1],
    ['a put of nothing', '{:process 0, :type :invoke, :f :put, :key "x", :value nil}', 1],
    ['a process that is no number', '{:process "a", :type :invoke, :f :get, :key "x", :value nil}', 1],
    ['a cas of no pair', '{:process 0, :type :invoke, :f :cas, :value 1}', 1],
    [
      'an answer about another key',
      '{:process 0, :type :invoke, :f :get, :key "x", :value nil}\n{:process 0, :type :ok, :f :get, :key "y", :value ""}',
      2,
    ],
  ])('with %s is refused, and the line is named', (_, text, line) => {
    expect(() => checkHistoryText(text)).toThrow(
      expect.objectContaining({ code: 'CHECK_MALFORMED_HISTORY', facts: { line } }),
    );
  });

  it('of a log may have lines of others: of the nemesis, of other loggers', () => {
    const text = `${read3}INFO  jepsen.core - hello\nINFO  jepsen.util - :nemesis\t:info\t:start\tnil\n${jepsen(3, ':ok\t:read\t1')}`;
    expect(checkHistoryText(text)).toMatchObject({ operations: 1, isLinearizable: false });
  });

  it('of EDN may tell of the nemesis, and have the times, indices and errors that Jepsen adds', () => {
    const text = [
      '{:process :nemesis, :type :info, :f :start, :value [:cut "n1" true 0.5]}',
      '{:process 0, :type :invoke, :f :get, :key "x", :value nil, :time 17, :index 0}',
      '{:process 0, :type :info, :f :get, :key "x", :value nil, :error [:timeout "no answer"]}',
    ];
    expect(checkHistoryText(text.join('\n'))).toMatchObject({ operations: 1, isLinearizable: true });
  });

  it.each([
    [':ok', '[1 2]', 2, true],
    [':ok', '[1 2]', 1, false],
    [':ok', '[3 2]', 2, false],
    [':fail', '[1 2]', 1, true],
    [':fail', '[1 2]', 2, false],
    [':info', '[1 2]', 2, true],
  ])(
    'of EDN may be of a register, as Knossos has it: cas %s of %s, and then it reads %i: %s',
    (type, pair, seen, isRight) => {
      const text = `
      {:process 0, :type :invoke, :f :write, :value 1}
      {:process 0, :type :ok, :f :write, :value 1}
      {:process 0, :type :invoke, :f :cas, :value ${pair}}
      {:process 0, :type ${type}, :f :cas, :value ${pair}}
      {:process 1, :type :invoke, :f :read, :value nil}
      {:process 1, :type :ok, :f :read, :value ${seen}}`;
      expect(checkHistoryText(text)).toMatchObject({
        operations: type === ':fail' ? 2 : 3,
        isLinearizable: isRight,
      });
    },
  );

  it('takes what never ended, and what timed out, for something that may have happened', () => {
    const text =
      jepsen(1, ':invoke\t:write\t1') +
      jepsen(2, ':invoke\t:write\t2') +
      jepsen(1, ':info\t:write\t:timed-out') +
      read3 +
      jepsen(3, ':ok\t:read\t1') +
      read3 +
      jepsen(3, ':ok\t:read\t2') +
      read3 +
      jepsen(3, ':fail\t:read\t:timed-out');
    expect(checkHistoryText(text)).toMatchObject({ operations: 4, isLinearizable: true });
  });

  it('takes what surely failed for nothing', () => {
    const text =
      jepsen(1, ':invoke\t:write\t1') + jepsen(1, ':fail\t:write\t1') + read3 + jepsen(3, ':ok\t:read\t1');
    expect(checkHistoryText(text).isLinearizable).toBe(false);
  });
});
