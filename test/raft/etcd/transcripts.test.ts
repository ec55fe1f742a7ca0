import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeMismatch } from './mismatch-report.ts';
import { runTranscript } from './transcript.ts';

const testdata = new URL('./testdata/', import.meta.url);

for (const file of globSync('**/*.txt', { cwd: testdata }).toSorted())
  it(`behaves as etcd-raft does in ${file}`, () => {
    const mismatches = runTranscript(readFileSync(new URL(file, testdata), 'utf8'));
    expect(mismatches.map((mismatch) => describeMismatch(mismatch)).join('\n')).toBe('');
  });
