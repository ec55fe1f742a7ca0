/** @module Whether the copies of a block stand as far apart as the datanodes there are allow. Pure. */

/** What fails together; the names are empty or absent where nobody gave any. */
export interface CopyPlace {
  readonly node: number;
  readonly host: string;
  readonly hostGroup?: string | undefined;
  readonly zone?: string | undefined;
}

const LEVELS: readonly ((place: CopyPlace) => string)[] = [
  hostOf,
  ({ hostGroup, ...place }) => (hostGroup ? `group ${hostGroup}` : hostOf(place)),
  ({ zone }) => zone ?? '',
];

/** `all`: where datanodes are that could have the copies. They are to be on `wanted` machines, groups of them and zones, or on all there are. */
export function isSpread(copies: readonly CopyPlace[], all: readonly CopyPlace[], wanted: number): boolean {
  return LEVELS.every((level) => {
    const names = (places: readonly CopyPlace[]): number => new Set(places.map(level)).size;
    return names(copies) >= Math.min(wanted, names(all));
  });
}

function hostOf({ host, node }: CopyPlace): string {
  return host === '' ? `node ${node}` : `host ${host}`;
}
