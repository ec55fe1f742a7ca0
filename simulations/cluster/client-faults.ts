/** @module What may go wrong with the clients of a run, drawn before it begins. */
import { Prng } from '../prng.ts';
import type { CutMode } from '../world/weather.ts';

/** `client` is a place among the clients, counted round. */
export type ClientFaultKind =
  /** It vanishes in the midst of what it does, and comes back as a process that knows nothing of it. */
  | { readonly kind: 'client-crash'; readonly client: number; readonly mode: CutMode; readonly forMs: number }
  | { readonly kind: 'client-pause'; readonly client: number; readonly forMs: number }
  | { readonly kind: 'client-clock-jump'; readonly client: number; readonly byMs: number }
  | { readonly kind: 'client-clock-drift'; readonly client: number; readonly rate: number };

export type ClientFault = ClientFaultKind & { readonly atMs: number };

const KINDS: readonly ClientFaultKind['kind'][] = [
  'client-crash',
  'client-crash',
  'client-pause',
  'client-clock-jump',
  'client-clock-drift',
];
/** Clients fail so many times more seldom than nodes: they have to work, too. */
const RARITY = 3;
const MOST_FAULTS = 30;

/** Each once. */
export const CLIENT_FAULT_KINDS: readonly ClientFaultKind['kind'][] = [...new Set(KINDS)];

export function isClientFault(fault: { readonly kind: string }): fault is ClientFault {
  return CLIENT_FAULT_KINDS.some((kind) => kind === fault.kind);
}

/** In the order of their times. Each seed draws its own mix of kinds. */
export function drawClientFaults(
  seed: number,
  { faultyMs, periodMs }: { readonly faultyMs: number; readonly periodMs: number },
): readonly ClientFault[] {
  const random = new Prng(seed, 'client faults');
  const kinds = KINDS.filter(() => random.chance(0.5));
  const faults: ClientFault[] = [];
  let atMs = 0;
  while (kinds.length > 0 && faults.length < MOST_FAULTS) {
    atMs += random.between(1, 2 * RARITY * periodMs);
    if (atMs >= faultyMs) break;
    // A stream for each: leaving one out, or drawing more for it, changes no other.
    faults.push({ atMs, ...drawFault(new Prng(seed, `client fault ${faults.length}`), random.pick(kinds)) });
  }
  return faults;
}

function drawFault(random: Prng, kind: ClientFaultKind['kind']): ClientFaultKind {
  const client = random.int(64);
  const mode = random.pick(['silent', 'refused'] as const);
  const forMs = random.pick([
    random.between(1, 300),
    random.between(300, 3_000),
    random.between(1_000, 10_000),
  ]);
  switch (kind) {
    case 'client-crash':
      return { kind, client, mode, forMs };
    case 'client-pause':
      return { kind, client, forMs };
    case 'client-clock-jump':
      return { kind, client, byMs: random.pick([-1, 1]) * random.pick([500, 60_000, 86_400_000]) };
    case 'client-clock-drift':
      return { kind, client, rate: random.pick([0.5, 0.9, 0.99, 1.01, 1.1, 2]) };
  }
}
