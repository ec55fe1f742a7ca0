/**
 * @module `npm run check:history -- [--json] [--picture FILE] FILE…`: is each history linearizable? One line a file. Exit
 * status: 0 all are, 1 some are not, 2 some could not be judged (not readable, malformed, undecided; standard error says why).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeError, isHoldfastError } from '../src/common/errors.ts';
import { checkHistoryText, type FileVerdict } from './checks/history-file.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** One object a file. */
    json: { type: 'boolean', default: false },
  },
});

if (positionals.length === 0) {
  console.error('usage: npm run check:history -- [--json] FILE…');
  process.exitCode = 2;
}
const isSound = { linearizable: true, judged: positionals.length > 0 };
for (const file of positionals) {
  try {
    tell(file, checkHistoryText(readFileSync(file, 'utf8')));
  } catch (error) {
    isSound.judged = false;
    tellError(file, error);
  }
}
process.exitCode = isSound.judged ? Number(!isSound.linearizable) : 2;

function tell(file: string, { format, operations, isLinearizable, violation }: FileVerdict): void {
  isSound.linearizable &&= isLinearizable;
  const verdict = isLinearizable ? 'linearizable' : 'not-linearizable';
  if (!values.json) console.log(`${file} ${verdict}`);
  else {
    const part = violation?.violation.part;
    console.log(JSON.stringify({ file, verdict, format, operations, ...(part !== undefined && { part }) }));
  }
}

function tellError(file: string, error: unknown): void {
  const code = isHoldfastError(error) ? error.code : 'CHECK_UNREADABLE';
  const facts = isHoldfastError(error) ? error.facts : {};
  const message = describeError(error);
  if (values.json) console.log(JSON.stringify({ file, error: { code, message, ...facts } }));
  else console.error(`${file}: ${message} [${code}]`);
}
