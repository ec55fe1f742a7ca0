/**
 * @module `npm run check:history -- [--json] [--picture FILE] FILE…`: is each history linearizable? One line a file. Exit
 * status: 0 all are, 1 some are not, 2 some could not be judged (not readable, malformed, undecided; standard error says why).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeError, isHoldfastError } from '../src/common/errors.ts';
import { checkHistoryText, type FileVerdict, type FileViolation } from './checks/history-file.ts';
import { drawViolation } from './checks/history-picture.ts';
import { shrinkViolation } from './checks/smallest-violation.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** One object a file. */
    json: { type: 'boolean', default: false },
    /** Draws the smallest offending part of the first history that is not linearizable: SVG, or HTML by the name. */
    picture: { type: 'string' },
  },
});

if (positionals.length === 0) {
  console.error('usage: npm run check:history -- [--json] [--picture FILE] FILE…');
  process.exitCode = 2;
}
const isSound = { linearizable: true, judged: positionals.length > 0, drawn: false };
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
  if (violation !== undefined && values.picture !== undefined && !isSound.drawn)
    draw(values.picture, violation);
}

function draw(picture: string, { model, violation }: FileViolation): void {
  isSound.drawn = true;
  const svg = drawViolation(model, shrinkViolation(model, violation));
  const isPage = /\.html?$/.test(picture);
  writeFileSync(
    picture,
    isPage ? `<!doctype html><meta charset="utf-8"><title>History</title>\n${svg}` : svg,
  );
}

function tellError(file: string, error: unknown): void {
  const code = isHoldfastError(error) ? error.code : 'CHECK_UNREADABLE';
  const facts = isHoldfastError(error) ? error.facts : {};
  const message = describeError(error);
  if (values.json) console.log(JSON.stringify({ file, error: { code, message, ...facts } }));
  else console.error(`${file}: ${message} [${code}]`);
}
