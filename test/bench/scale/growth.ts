/** @module How figures grow with the size of something: measured at several sizes, the slope fitted in log-log coordinates. */
import { round } from '../statistics.ts';

/** What one figure is, and how fast it may grow. */
export interface FigureKind {
  readonly name: string;
  readonly unit: string;
  /**
   * each: of one operation, whatever the size; n of them must cost no more than n log n.
   * whole: of everything at once.
   * seen: shown, and not judged: rates, latencies of a busy machine.
   */
  readonly counts: 'each' | 'whole' | 'seen';
}

/** One dimension: what grows, and what is measured at each size. */
export interface Dimension {
  readonly name: string;
  /** What is counted along the x axis. */
  readonly of: string;
  readonly sizes: readonly number[];
  readonly figures: Readonly<Record<string, FigureKind>>;
  /** By the keys of `figures`; what is absent was not measured at this size. */
  readonly measure: (size: number) => Promise<Readonly<Record<string, number>>>;
  /** Takes down what is kept from size to size. */
  readonly end?: () => Promise<void>;
}

export interface Point {
  readonly size: number;
  readonly value: number;
}

export interface Series extends FigureKind {
  readonly points: readonly Point[];
  /** Exponent of the power law through the last points; undefined with fewer than two. */
  readonly slope: number | undefined;
  readonly isWorse: boolean;
}

export interface Growth {
  readonly name: string;
  readonly of: string;
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly series: readonly Series[];
}

/** The slope is that of so many last points: what is constant hides it in the first ones. */
const FITTED_POINTS = 3;
/** n log n between 10^4 and 10^6 looks like n^1.09; and a busy machine is not exact. */
const MOST_SLOPE: Readonly<Record<FigureKind['counts'], number>> = {
  each: 0.25,
  whole: 1.25,
  seen: Infinity,
};

export function seriesOf(kind: FigureKind, points: readonly Point[]): Series {
  const slope = slopeOf(points.slice(-FITTED_POINTS));
  return { ...kind, points, slope, isWorse: slope !== undefined && slope > MOST_SLOPE[kind.counts] };
}

/** Least squares over the logarithms; points at 0 are left out. */
function slopeOf(points: readonly Point[]): number | undefined {
  const logs = points
    .filter(({ size, value }) => size > 0 && value > 0)
    .map(({ size, value }) => ({ x: Math.log(size), y: Math.log(value) }));
  if (logs.length < 2) return undefined;
  const mean = (figures: readonly number[]): number =>
    figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
  const [x, y] = [mean(logs.map((log) => log.x)), mean(logs.map((log) => log.y))];
  const across = logs.reduce((sum, log) => sum + (log.x - x) * (log.y - y), 0);
  const along = logs.reduce((sum, log) => sum + (log.x - x) ** 2, 0);
  return round(across / along, 2);
}
