/** @module Where files go whose own place is not known, or is taken by something newer. */
import { splitPath } from '../../namespace/path.ts';

const LOST_AND_FOUND = '/lost+found';
/** Of a write's id: enough to tell two files of one name apart. */
const TAG_CHARACTERS = 8;

/** The path itself; below LOST_AND_FOUND what has only the end of a path, or none that a file may have. */
export function destinationOf(path: string, write: string): string {
  if (isPath(path)) return path;
  const below = `${LOST_AND_FOUND}/${path}`;
  return !path.startsWith('/') && isPath(below) ? below : `${LOST_AND_FOUND}/${tagOf(write)}`;
}

/** The place of a file beside which another one has its path: never the same for two writes. */
export function asidePath(path: string, write: string): string {
  const aside = `${LOST_AND_FOUND}${path}~${tagOf(write)}`;
  return isPath(aside) ? aside : `${LOST_AND_FOUND}/${tagOf(write)}`;
}

function tagOf(write: string): string {
  return write.slice(0, TAG_CHARACTERS);
}

function isPath(path: string): boolean {
  try {
    return splitPath(path).length > 0;
  } catch {
    return false;
  }
}
