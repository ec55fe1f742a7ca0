import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseTranscript } from './datadriven.ts';
import { describeMismatch } from './mismatch-report.ts';
import { runTranscript } from './transcript.ts';

const ELECTION = `# A comment.
add-nodes 1 voters=(1) index=3
campaign 1
----
INFO 1 is starting a new election at term 0

process-ready 1
----
Ready MustSync=true:
Lead:0 State:StateCandidate
INFO words of another library
HardState Term:1 Vote:1 Commit:3
`;

describe('a transcript', () => {
  it('is compared without what loggers print, where a cluster is driven', () => {
    expect(runTranscript(ELECTION)).toEqual([]);
  });

  it('is compared to the letter, where a quorum is drawn', () => {
    const text = 'committed cfg=(1) idx=(12)\n----\n     idx\n>     12    (id=1)\n12\n';
    expect(runTranscript(text)).toEqual([]);
    expect(runTranscript(text.replace('>     12', '>    12'))).toHaveLength(1);
  });

  it('that disagrees is shown as a diff, with its line', () => {
    const [mismatch] = runTranscript(ELECTION.replace('Vote:1', 'Vote:2'));
    if (mismatch === undefined) throw new Error('no mismatch');
    expect(describeMismatch(mismatch)).toBe(
      [
        '  line 7: process-ready',
        '      Ready MustSync=true:',
        '      Lead:0 State:StateCandidate',
        '    - HardState Term:1 Vote:2 Commit:3',
        '    + HardState Term:1 Vote:1 Commit:3',
      ].join('\n'),
    );
  });

  it('that makes the core stop, or holds an unknown command, disagrees too', () => {
    expect(runTranscript('fly 1\n----\nok\n')).toMatchObject([{ actual: 'unknown command' }]);
    const broken = 'add-nodes 1 voters=(1) index=3 inflight=0\n----\nok\n';
    expect(runTranscript(broken)[0]?.actual).toMatch(/maxInflightMsgs/);
  });

  it('without any command is none', () => {
    expect(() => runTranscript('# nothing\n')).toThrow(/no command/);
  });
});

describe('the data-driven form', () => {
  it('knows lists with spaces, continued lines, input, and blank lines between doubled separators', () => {
    const text = 'do cfg=(1, 2) x=3 \\\n  bare\nline one\n----\n----\na\n\nb\n----\n----\n\nnext\n----\nok\n';
    expect(parseTranscript(text)).toEqual([
      {
        command: 'do',
        args: [
          { key: 'cfg', values: ['1', '2'] },
          { key: 'x', values: ['3'] },
          { key: 'bare', values: [] },
        ],
        input: ['line one'],
        expected: 'a\n\nb',
        line: 1,
      },
      { command: 'next', args: [], input: [], expected: 'ok', line: 12 },
    ]);
  });
});

describe('npm run test:etcd-raft', () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));

  async function run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly lines: string[] }> {
    return await new Promise((resolve) => {
      const child = execFile(process.execPath, [main, ...args], (_error, stdout) => {
        resolve({ code: child.exitCode ?? -1, lines: stdout.trimEnd().split('\n') });
      });
    });
  }

  it('ends with the count, and fails where one disagrees, where there is none, and without a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'transcripts-'));
    try {
      expect(await run(folder)).toMatchObject({ code: 1, lines: ['0 passed, 0 failed'] });
      writeFileSync(join(folder, 'good.txt'), ELECTION);
      expect(await run(folder)).toEqual({ code: 0, lines: ['1 passed, 0 failed'] });
      writeFileSync(join(folder, 'bad.txt'), ELECTION.replace('Vote:1', 'Vote:2'));
      const { code, lines } = await run(folder);
      expect(code).toBe(1);
      expect(lines.at(0)).toContain('FAILED');
      expect(lines.at(-1)).toBe('1 passed, 1 failed');
      expect(await run()).toMatchObject({ code: 2 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
