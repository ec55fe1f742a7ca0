/** @module Which pages of a file are free: the file grows at its end, and what was given back is taken first. */

/** Pages [first, first + count). */
export interface PageExtent {
  readonly first: number;
  readonly count: number;
}

export class PageExtents {
  /** In order, none next to another. */
  #free: PageExtent[] = [];
  #end = 0;
  #freePages = 0;

  /** Pages of the file. */
  get end(): number {
    return this.#end;
  }

  /** Pages that are taken. */
  get taken(): number {
    return this.#end - this.#freePages;
  }

  /** Pages that are next to each other and free; undefined when there are not so many. */
  takeOne(count: number): PageExtent | undefined {
    const place = this.#free.findIndex((extent) => extent.count >= count);
    const extent = this.#free[place];
    if (extent === undefined) return undefined;
    const rest = { first: extent.first + count, count: extent.count - count };
    this.#free.splice(place, 1, ...(rest.count > 0 ? [rest] : []));
    this.#freePages -= count;
    return { first: extent.first, count };
  }

  /** New pages at the end of the file. */
  grow(count: number): PageExtent {
    const first = this.#end;
    this.#end += count;
    return { first, count };
  }

  /** Free pages from anywhere; undefined when there are not so many. */
  takeMany(count: number): PageExtent[] | undefined {
    if (this.#freePages < count) return undefined;
    const taken: PageExtent[] = [];
    for (let left = count; left > 0; ) {
      const largest = Math.max(...this.#free.map((extent) => extent.count));
      const extent = this.takeOne(Math.min(left, largest));
      if (extent === undefined) throw new Error('Invariant broken: free pages were counted wrong');
      taken.push(extent);
      left -= extent.count;
    }
    return taken;
  }

  giveBack(extent: PageExtent): void {
    this.#freePages += extent.count;
    const place = this.#free.findLastIndex(({ first }) => first < extent.first) + 1;
    const before = this.#free[place - 1];
    const after = this.#free[place];
    const joinsBefore = before !== undefined && before.first + before.count === extent.first;
    const joinsAfter = after !== undefined && extent.first + extent.count === after.first;
    const first = joinsBefore ? before.first : extent.first;
    const end = joinsAfter ? after.first + after.count : extent.first + extent.count;
    this.#free.splice(place - Number(joinsBefore), Number(joinsBefore) + Number(joinsAfter), {
      first,
      count: end - first,
    });
  }
}
