/** @module Sizes as people write and read them: 64KiB, 8M, 1.5 GiB. Powers of 1024 throughout. */
import { InvalidArgumentError } from 'commander';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const STEP = 1024;

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

/** Bytes of "8388608", "8M", "8MiB", "1.5g". For commander: throws InvalidArgumentError. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) throw new InvalidArgumentError('Write a size like 65536, 64KiB or 8M.');
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((match[2] ?? '').toLowerCase());
  const bytes = Math.round(Number(match[1]) * STEP ** power);
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('That is too large.');
  return bytes;
}
