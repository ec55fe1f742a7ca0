/** @module Permission bits as people write and read them. */
import { InvalidArgumentError } from 'commander';

/** What counts for something whose maker named no mode. Nothing is enforced yet. */
const DEFAULT_MODES: Readonly<Record<string, number>> = { directory: 0o755, symlink: 0o777 };
const DEFAULT_FILE_MODE = 0o644;
const KIND_LETTERS: Readonly<Record<string, string>> = { directory: 'd', symlink: 'l' };
const BITS = 'rwxrwxrwx';

/** The mode of something that was asked for; its kind's default when it has none of its own. */
export function modeOf(stat: { readonly kind: string; readonly mode?: number | undefined }): number {
  return stat.mode ?? DEFAULT_MODES[stat.kind] ?? DEFAULT_FILE_MODE;
}

/** "-rw-r--r--", as ls has it; set-user-id, set-group-id and sticky are shown by stat alone. */
export function formatMode(stat: { readonly kind: string; readonly mode?: number | undefined }): string {
  const mode = modeOf(stat);
  const shown = [...BITS].map((letter, position) => (mode & (0o400 >> position) ? letter : '-'));
  return (KIND_LETTERS[stat.kind] ?? '-') + shown.join('');
}

/** "0640". */
export function octalMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** The mode something gets, from the one it has. */
export type ModeChange = (before: number, isDirectory: boolean) => number;

const WHO_BITS: Readonly<Record<string, number>> = { u: 0o700, g: 0o070, o: 0o007, a: 0o777 };
const PERMISSION_BITS: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111 };
const ANY_EXECUTE = 0o111;

/**
 * For commander: three or four octal digits, or symbols as chmod(1) has them, e.g. "u+x,go-w" or "a=rX"; else
 * InvalidArgumentError. Set-user-id, set-group-id and sticky are for octal digits only; nobody's umask counts.
 */
export function parseMode(text: string): number | ModeChange {
  if (/^[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8);
  const steps = text.split(',').map((clause) => /^([ugoa]*)([-+=])([rwxX]*)$/.exec(clause));
  if (steps.some((step) => step === null))
    throw new InvalidArgumentError('Write a mode as three or four octal digits, like 640, or like u+x,go-w.');
  return (before, isDirectory) =>
    steps.reduce((mode, step) => {
      const [, who = '', operator = '', permissions = ''] = step ?? [];
      return changed(mode, isDirectory, { who: who || 'a', operator, permissions });
    }, before);
}

function changed(
  mode: number,
  isDirectory: boolean,
  { who, operator, permissions }: { who: string; operator: string; permissions: string },
): number {
  const isExecutable = isDirectory || (mode & ANY_EXECUTE) !== 0;
  const said = [...permissions].map((letter) => (letter === 'X' && isExecutable ? 'x' : letter));
  const reach = union([...who].map((letter) => WHO_BITS[letter]));
  const bits = reach & union(said.map((letter) => PERMISSION_BITS[letter]));
  if (operator === '+') return mode | bits;
  return operator === '-' ? mode & ~bits : (mode & ~reach) | bits;
}

/** An X that means nothing has no bits. */
function union(all: readonly (number | undefined)[]): number {
  return all.reduce<number>((bits, each = 0) => bits | each, 0);
}
