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

/** For commander: three or four octal digits, else InvalidArgumentError. */
export function parseMode(text: string): number {
  if (/^[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8);
  throw new InvalidArgumentError('Write a mode as three or four octal digits, like 640.');
}
