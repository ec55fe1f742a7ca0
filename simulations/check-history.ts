/**
 * @module `npm run check:history -- [--json] [--picture FILE] [--seconds N] FILE…`: is each history linearizable? One line a file. Exit
 * status: 0 all are, 1 some are not, 2 some could not be judged (not readable, malformed, undecided), the picture could not be
 * written, or the words make no sense; standard error says why.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { describeError, isHoldfastError } from '../src/common/errors.ts';
import { checkHistoryText, type FileVerdict, type FileViolation } from './checks/history-file.ts';
import { drawViolation } from './checks/history-picture.ts';
import { shrinkViolation } from './checks/smallest-violation.ts';

const USAGE = 'usage: npm run check:history -- [--json] [--picture FILE] [--seconds N] FILE…';
const OPTIONS = {
  /** One object a file. */
  json: { type: 'boolean', default: false },
  /** Draws the smallest offending part of the first history that is not linearizable: SVG, or HTML by the name. */
  picture: { type: 'string' },
  /** For each file; then there is no verdict on it. */
  seconds: { type: 'string', default: '10' },
  help: { type: 'boolean', short: 'h', default: false },
} satisfies ParseArgsOptionsConfig;
/** For making the offending part of a history smaller; then it is drawn as it is. */
const SHRINKING_MS = 4_000;
const NOT_LINEARIZABLE_STATUS = 1;
const NOT_JUDGED_STATUS = 2;

interface Words {
  readonly files: readonly string[];
  readonly isJson: boolean;
  readonly isHelp: boolean;
  readonly timeLimitMs: number;
  readonly picture?: string;
}

const words = readWords();
if (words === undefined) process.exitCode = NOT_JUDGED_STATUS;
else if (words.isHelp) console.log(USAGE);
else process.exitCode = judgeAll(words);

/** Undefined, after it was said why, where they make no sense. */
function readWords(): Words | undefined {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
    if (positionals.length === 0 && !values.help) throw new TypeError('No file is named.');
    const { json, help, picture } = values;
    const timeLimitMs = Number(values.seconds) * 1000;
    if (!(timeLimitMs > 0))
      throw new TypeError(`--seconds must be a number above 0, not '${values.seconds}'.`);
    return {
      files: positionals,
      isJson: json,
      isHelp: help,
      timeLimitMs,
      ...(picture !== undefined && { picture }),
    };
  } catch (error) {
    console.error(`${describeError(error)}\n${USAGE}`);
    return undefined;
  }
}

/** The exit status. */
function judgeAll({ files, isJson, picture, timeLimitMs }: Words): number {
  let isJudged = true;
  let offending: FileViolation | undefined;
  for (const file of files) {
    try {
      const end = performance.now() + timeLimitMs;
      const isTimeUp = (): boolean => performance.now() > end;
      const verdict = checkHistoryText(readFileSync(file, 'utf8'), { isTimeUp });
      tell(file, verdict, isJson);
      offending ??= verdict.violation;
    } catch (error) {
      isJudged = false;
      tellError(file, error, isJson);
    }
  }
  const isDrawn = offending === undefined || picture === undefined || draw(picture, offending);
  if (!isJudged || !isDrawn) return NOT_JUDGED_STATUS;
  return offending === undefined ? 0 : NOT_LINEARIZABLE_STATUS;
}

function tell(
  file: string,
  { format, operations, isLinearizable, violation }: FileVerdict,
  isJson: boolean,
): void {
  const verdict = isLinearizable ? 'linearizable' : 'not-linearizable';
  if (!isJson) return console.log(`${file} ${verdict}`);
  const part = violation?.violation.part;
  console.log(JSON.stringify({ file, verdict, format, operations, ...(part !== undefined && { part }) }));
}

/** Whether it could be written; the verdicts stand without it. */
function draw(picture: string, { model, violation }: FileViolation): boolean {
  const end = performance.now() + SHRINKING_MS;
  const smallest = shrinkViolation(model, violation, { isTimeUp: () => performance.now() > end });
  const svg = drawViolation(model, smallest);
  const isPage = /\.html?$/.test(picture);
  try {
    writeFileSync(
      picture,
      isPage ? `<!doctype html><meta charset="utf-8"><title>History</title>\n${svg}` : svg,
    );
    return true;
  } catch (error) {
    console.error(`The picture could not be written: ${describeError(error)}`);
    return false;
  }
}

function tellError(file: string, error: unknown, isJson: boolean): void {
  const code = isHoldfastError(error) ? error.code : 'CHECK_UNREADABLE';
  const facts = isHoldfastError(error) ? error.facts : {};
  const message = describeError(error);
  if (isJson) console.log(JSON.stringify({ file, error: { code, message, ...facts } }));
  else console.error(`${file}: ${message} [${code}]`);
}
