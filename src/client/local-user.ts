/** @module Who runs this process, as the owner of what it makes in the cluster. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

/** Names, since numbers differ between machines. Stored and shown; nothing is enforced by them yet. */
export interface Owner {
  readonly user: string;
  readonly group: string;
}

const GROUP_FILE = '/etc/group';

/** A user or group without a name on this machine goes by its number. */
export async function localUser(): Promise<Owner> {
  const gid = process.getgid?.();
  return { user: userName(), group: gid === undefined ? '' : await groupName(gid) };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // The system has no entry for this user, as in many containers.
    return String(process.getuid?.() ?? '');
  }
}

async function groupName(gid: number): Promise<string> {
  try {
    const lines = (await readFile(GROUP_FILE, 'utf8')).split('\n').map((line) => line.split(':'));
    return lines.find(([, , number]) => number === String(gid))?.[0] ?? String(gid);
  } catch {
    // No such file on this system, or none that may be read.
    return String(gid);
  }
}
