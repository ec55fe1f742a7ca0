/** @module The names in directories made since the start: a new name in one of them is known to be new without asking the store. */

/** Names remembered in all directories together; above it the directory known longest is forgotten. */
const MAX_KNOWN_NAMES = 1_000_000;
/** A directory costs about this many names itself. */
const DIRECTORY_WEIGHT = 8;

/**
 * Only hashes are kept, and the hash of a name that was removed stays: an unlucky name is asked for in the store, which is
 * what happens without this class too. What it calls absent is absent, as long as it is told of every name that is added.
 */
export class KnownNames {
  /** Hashes of names by the directory's key, in the order in which the directories were made. */
  readonly #directories = new Map<string, Set<number>>();
  readonly #maxNames: number;
  #weight = 0;

  constructor(maxNames: number = MAX_KNOWN_NAMES) {
    this.#maxNames = maxNames;
  }

  /** A directory that was just made, and so holds nothing. */
  directoryMade(directory: string): void {
    this.#directories.set(directory, new Set());
    this.#weight += DIRECTORY_WEIGHT;
    this.#forgetOldest();
  }

  nameAdded(directory: string, name: string): void {
    const names = this.#directories.get(directory);
    if (names === undefined) return;
    const before = names.size;
    names.add(hashOf(name));
    this.#weight += names.size - before;
    this.#forgetOldest();
  }

  isAbsent(directory: string, name: string): boolean {
    return this.#directories.get(directory)?.has(hashOf(name)) === false;
  }

  #forgetOldest(): void {
    for (const [directory, names] of this.#directories) {
      if (this.#weight <= this.#maxNames) return;
      this.#directories.delete(directory);
      this.#weight -= names.size + DIRECTORY_WEIGHT;
    }
  }
}

/** FNV-1a. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  // Within what the engine keeps in a Set without a box.
  return hash & 0x3fff_ffff;
}
