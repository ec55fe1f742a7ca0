/** @module The rows of a large tree, table by table in key order, as the state machine itself would have written them. */
import { HASH_SIZE_BYTES } from '../../src/common/hashing.ts';
import { toHex } from '../../src/common/bytes.ts';
import { direntKey, extentKey, numberKey } from '../../src/namespace/keys.ts';
import { ROOT_INODE } from '../../src/namespace/limits.ts';
import { encodeRow } from '../../src/namespace/rows.ts';
import { type BlockRef, Inode } from '../../src/namespace/schema.ts';
import type { RowChange, TableName } from '../../src/storage/row-store.ts';

export interface TreeShape {
  readonly files: number;
  /** Below /tree; they share the files that are not in /big evenly. */
  readonly directories: number;
  /** Files in /big. */
  readonly biggestDirectory: number;
  /** 0: empty files, as `touch` leaves them. */
  readonly blocksPerFile: number;
  readonly timeMs: number;
}

export const BIG_DIRECTORY = '/big';
const BIG_INODE = ROOT_INODE + 1;
const TREE_INODE = ROOT_INODE + 2;
const FIRST_DIRECTORY = ROOT_INODE + 3;
export const BLOCK_SIZE_BYTES: number = 8 * 1024 * 1024;
const COPIES = 3;
/** A prime: multiplied by it, neighbouring files get blocks that lie far apart. */
const BLOCK_STRIDE = 7_368_787;

export class TreeRows {
  readonly #shape: TreeShape;
  readonly #perDirectory: number;

  constructor(shape: TreeShape) {
    this.#shape = shape;
    this.#perDirectory = Math.ceil((shape.files - shape.biggestDirectory) / Math.max(1, shape.directories));
  }

  get shape(): TreeShape {
    return this.#shape;
  }

  get nextInode(): number {
    return FIRST_DIRECTORY + this.#shape.directories + this.#shape.files;
  }

  get blockCount(): number {
    return this.#shape.files * this.#shape.blocksPerFile;
  }

  /** Path of file `at`, from 0; those of /big come first. */
  pathOf(at: number): string {
    const { biggestDirectory } = this.#shape;
    return at < biggestDirectory
      ? `${BIG_DIRECTORY}/${fileName(at)}`
      : `/tree/${directoryName(this.#directoryOf(at))}/${fileName(at)}`;
  }

  *inodes(): Generator<RowChange> {
    const { files, directories, biggestDirectory } = this.#shape;
    yield this.#inode({ id: ROOT_INODE, kind: 'directory', childCount: 2 });
    yield this.#inode({
      id: BIG_INODE,
      kind: 'directory',
      parent: ROOT_INODE,
      name: BIG_DIRECTORY.slice(1),
      childCount: biggestDirectory,
    });
    yield this.#inode({
      id: TREE_INODE,
      kind: 'directory',
      parent: ROOT_INODE,
      name: 'tree',
      childCount: directories,
    });
    for (let at = 0; at < directories; at++) {
      const childCount = Math.max(
        0,
        Math.min(this.#perDirectory, files - biggestDirectory - at * this.#perDirectory),
      );
      const id = FIRST_DIRECTORY + at;
      yield this.#inode({ id, kind: 'directory', parent: TREE_INODE, name: directoryName(at), childCount });
    }
    const { blocksPerFile } = this.#shape;
    for (let at = 0; at < files; at++)
      yield this.#inode({
        id: this.#inodeOf(at),
        kind: 'file',
        parent: at < biggestDirectory ? BIG_INODE : FIRST_DIRECTORY + this.#directoryOf(at),
        name: fileName(at),
        replication: COPIES,
        blockSizeBytes: BLOCK_SIZE_BYTES,
        blockCount: blocksPerFile,
        sizeBytes: blocksPerFile * BLOCK_SIZE_BYTES,
      });
  }

  *dirents(): Generator<RowChange> {
    const { files, directories, biggestDirectory } = this.#shape;
    yield dirent(ROOT_INODE, BIG_DIRECTORY.slice(1), BIG_INODE);
    yield dirent(ROOT_INODE, 'tree', TREE_INODE);
    for (let at = 0; at < biggestDirectory; at++) yield dirent(BIG_INODE, fileName(at), this.#inodeOf(at));
    for (let at = 0; at < directories; at++)
      yield dirent(TREE_INODE, directoryName(at), FIRST_DIRECTORY + at);
    for (let at = biggestDirectory; at < files; at++)
      yield dirent(FIRST_DIRECTORY + this.#directoryOf(at), fileName(at), this.#inodeOf(at));
  }

  *extents(): Generator<RowChange> {
    const { files, blocksPerFile } = this.#shape;
    if (blocksPerFile === 0) return;
    for (let at = 0; at < files; at++) {
      const blocks: BlockRef[] = [];
      for (let block = 0; block < blocksPerFile; block++)
        blocks.push({
          hash: this.#hash(((at * blocksPerFile + block) * BLOCK_STRIDE) % this.blockCount),
          sizeBytes: BLOCK_SIZE_BYTES,
        });
      const layout = { kind: { $case: 'replicated' as const, value: { copies: COPIES } } };
      yield put('extent', extentKey(this.#inodeOf(at), 0), { blocks, layout });
    }
  }

  *blocks(): Generator<RowChange> {
    for (let at = 0; at < this.blockCount; at++)
      yield put('block', toHex(this.#hash(at)), {
        sizeBytes: BLOCK_SIZE_BYTES,
        references: 1,
        copies: COPIES,
      });
  }

  #inode(fields: Partial<Inode>): RowChange {
    const { timeMs } = this.#shape;
    const inode = Inode.fromPartial({ mtimeMs: timeMs, ctimeMs: timeMs, version: fields.id ?? 0, ...fields });
    return put('inode', numberKey(inode.id), inode);
  }

  #inodeOf(at: number): number {
    return FIRST_DIRECTORY + this.#shape.directories + at;
  }

  #directoryOf(at: number): number {
    return Math.floor((at - this.#shape.biggestDirectory) / this.#perDirectory);
  }

  /** Hashes that rise with `at` and are spread evenly, so that the table of blocks is written in order too. */
  #hash(at: number): Uint8Array {
    const hash = new Uint8Array(HASH_SIZE_BYTES);
    const view = new DataView(hash.buffer);
    view.setBigUint64(0, (BigInt(at) << 64n) / BigInt(this.blockCount));
    // The rest only has to look like a hash: no two are alike, and none compresses.
    for (let word = 2; word < HASH_SIZE_BYTES / 4; word++)
      view.setUint32(4 * word, Math.imul(at + 1, word * 0x9e3779b1));
    return hash;
  }
}

function fileName(at: number): string {
  return `file-${String(at).padStart(8, '0')}.dat`;
}

function directoryName(at: number): string {
  return `dir-${String(at).padStart(6, '0')}`;
}

function dirent(parent: number, name: string, inode: number): RowChange {
  return put('dirent', direntKey(parent, name), { inode });
}

function put(table: TableName, key: string, row: Parameters<typeof encodeRow>[1]): RowChange {
  return { table, key, value: encodeRow(table, row) };
}
