/** @module What may happen in a history of clients, drawn so that it mostly makes sense where it comes to that. */
import fc from 'fast-check';

/** Some place in the tree as it is when it comes to that: a node, a file, a name in a directory, or just a path. */
export interface Place {
  readonly how: 'node' | 'file' | 'inside' | 'anywhere';
  readonly pick: number;
  readonly path: string;
}
/** One of the leases that are there, or one of the last that were. */
export interface ClaimAsked {
  readonly pick: number;
  readonly isOld: boolean;
  readonly otherToken: boolean;
}
interface At {
  readonly at: Place;
}
interface Dated {
  readonly mtimeMs: number;
}
type Mode = { readonly mode: number | undefined };

/** What a client wants. */
export type Ask =
  | ({ readonly do: 'mkdir'; readonly parents: boolean } & At & Mode)
  | ({
      readonly do: 'create';
      readonly blocks: readonly string[];
      readonly copies: number;
      readonly complete: boolean;
      readonly parents: boolean;
      readonly ifAbsent: boolean;
      readonly version: 'any' | 'right' | 'wrong';
    } & At &
      Mode &
      Dated)
  | ({ readonly do: 'openAppend' | 'unlink' | 'rmdir' | 'removeTree' } & At)
  | ({ readonly do: 'append'; readonly blocks: readonly string[]; readonly otherPlace: boolean } & ClaimAsked)
  | ({ readonly do: 'copyBlocks'; readonly otherPlace: boolean } & At & ClaimAsked)
  | ({
      readonly do: 'close';
      readonly ifAbsent: boolean;
      readonly replaces: 'all' | 'none' | 'last' | 'full';
    } & Dated &
      ClaimAsked)
  | ({ readonly do: 'abandon' | 'renew' } & ClaimAsked)
  | ({ readonly do: 'rename' | 'copy'; readonly to: Place; readonly noClobber: boolean } & At)
  | ({ readonly do: 'symlink'; readonly target: string } & At)
  | ({ readonly do: 'setReplication'; readonly copies: number } & At)
  | ({ readonly do: 'attributes'; readonly noFollow: boolean; readonly mtimeMs: number | undefined } & At &
      Mode)
  | ({ readonly do: 'touch' } & At & Dated)
  | { readonly do: 'housekeeping'; readonly limit: number };

export interface Request {
  readonly ask: Ask;
  /** '': in none. */
  readonly session: string;
  /** Sends the last request but so many of the session again, instead. */
  readonly again: number | undefined;
  readonly acknowledges: number;
}

export type Step =
  | { readonly do: 'apply'; readonly requests: readonly Request[]; readonly passMs: number }
  | { readonly do: 'openSession'; readonly session: string; readonly isOwner: boolean }
  | ({ readonly do: 'list'; readonly restarts: boolean } & At)
  | { readonly do: 'copy'; readonly meanwhile: readonly Request[] }
  | { readonly do: 'flush' | 'crash' | 'catchUp' | 'audit' };

export const FULL_BLOCKS: readonly string[] = ['p', 'q', 'r'];
export const SHORT_BLOCKS: readonly string[] = ['.s', '.t'];
export const SESSIONS: readonly string[] = ['s1', 's2'];

const anywhere = fc
  .array(fc.constantFrom('a', 'b', '\u{ff5e}', '\u{1f600}'), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join('/')}`);
const linkTarget = fc.oneof(
  anywhere,
  fc.tuple(fc.constantFrom('', '../', '../../'), anywhere).map(([up, to]) => up + to.slice(1)),
);
const place = (...how: Place['how'][]): fc.Arbitrary<Place> =>
  fc.record({ how: fc.constantFrom(...how), pick: fc.nat(30), path: anywhere });
const some = place('node', 'node', 'file', 'inside', 'anywhere');
const file = place('file', 'file', 'file', 'node', 'anywhere');
const free = place('inside', 'inside', 'inside', 'node', 'anywhere');
/** Full ones and then a short one: seldom more than a page of them. */
const blocks = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.array(fc.constantFrom(...FULL_BLOCKS), { maxLength: 2 }) },
      fc.integer({ min: 60, max: 70 }).map((count) => Array.from({ length: count }, () => 'p')),
    ),
    fc.array(fc.constantFrom(...SHORT_BLOCKS), { maxLength: 1 }),
  )
  .map(([full, short]) => [...full, ...short]);
const flag = fc.boolean();
const seldom = fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0);
const mode = fc.option(fc.integer({ min: 0, max: 0o7777 }), { nil: undefined });
const mtimeMs = fc.constantFrom(0, 12_345);
const copies = fc.integer({ min: 0, max: 4 });
const pick = fc.nat(9);
/** Mostly a lease that is there. */
const claim = { pick, isOld: seldom, otherToken: seldom };

const ask: fc.Arbitrary<Ask> = fc.oneof(
  { weight: 5, arbitrary: asked('mkdir', { at: free, parents: flag, mode }) },
  {
    weight: 8,
    arbitrary: asked('create', {
      at: free,
      blocks,
      copies,
      mode,
      mtimeMs,
      complete: flag,
      parents: seldom,
      ifAbsent: seldom,
      version: fc.constantFrom('any', 'any', 'any', 'right', 'wrong'),
    }),
  },
  { weight: 6, arbitrary: asked('openAppend', { at: file }) },
  { weight: 8, arbitrary: asked('append', { ...claim, blocks, otherPlace: seldom }) },
  { weight: 2, arbitrary: asked('copyBlocks', { ...claim, at: file, otherPlace: seldom }) },
  {
    weight: 10,
    arbitrary: asked('close', {
      ...claim,
      ifAbsent: seldom,
      replaces: fc.constantFrom('all', 'all', 'none', 'last', 'full'),
      mtimeMs,
    }),
  },
  asked('abandon', claim),
  { weight: 2, arbitrary: asked('renew', claim) },
  { weight: 5, arbitrary: asked('rename', { at: some, to: free, noClobber: flag }) },
  { weight: 3, arbitrary: asked('copy', { at: file, to: free, noClobber: flag }) },
  { weight: 2, arbitrary: asked('symlink', { at: free, target: linkTarget }) },
  { weight: 2, arbitrary: asked('unlink', { at: some }) },
  asked('rmdir', { at: some }),
  asked('removeTree', { at: some }),
  { weight: 2, arbitrary: asked('setReplication', { at: some, copies }) },
  {
    weight: 2,
    arbitrary: asked('attributes', {
      at: some,
      noFollow: flag,
      mode,
      mtimeMs: fc.option(mtimeMs, { nil: undefined }),
    }),
  },
  asked('touch', { at: some, mtimeMs }),
  { weight: 3, arbitrary: asked('housekeeping', { limit: fc.integer({ min: 1, max: 200 }) }) },
);

const request: fc.Arbitrary<Request> = fc.record({
  ask,
  session: fc.constantFrom('', '', ...SESSIONS),
  again: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.nat(3)),
  acknowledges: fc.nat(4),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      requests: fc.array(request, { minLength: 1, maxLength: 3 }),
      // Leaders' clocks differ, and may be a day wrong.
      passMs: fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(0, 5, 1_000) },
        { weight: 2, arbitrary: fc.constant(61_000) },
        fc.constantFrom(3_700_000, -86_400_000),
      ),
    }),
  },
  fc.record({
    do: fc.constant('openSession' as const),
    session: fc.constantFrom(...SESSIONS),
    isOwner: flag,
  }),
  { weight: 4, arbitrary: fc.record({ do: fc.constant('list' as const), at: some, restarts: seldom }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  fc.record({ do: fc.constant('crash' as const) }),
  fc.record({ do: fc.constant('copy' as const), meanwhile: fc.array(request, { maxLength: 2 }) }),
  fc.record({ do: fc.constant('catchUp' as const) }),
  fc.record({ do: fc.constant('audit' as const) }),
);

function asked<const D extends string, F extends object>(
  name: D,
  fields: { [K in keyof F]: fc.Arbitrary<F[K]> },
): fc.Arbitrary<F & { do: D }> {
  return fc.record({ do: fc.constant(name), ...fields }) as fc.Arbitrary<F & { do: D }>;
}

/** The steps of one history. */
export function someSteps(maxLength: number): fc.Arbitrary<Step[]> {
  return fc.array(step, { maxLength, size: 'max' });
}
