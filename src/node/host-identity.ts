/** @module Which machine this is, so that copies can be put on different ones. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

const MACHINE_ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];
const DIGEST_CHARACTERS = 8;

/**
 * `hostname-xxxxxxxx`, equal for all nodes of one machine. The suffix is a digest of the machine id (which itself is not
 * to leave the machine): cloned images that share a hostname are told apart. Without a machine id the hostname must do.
 */
export function hostIdentity(): string {
  const machineId = readMachineId();
  if (machineId === undefined) return hostname();
  const digest = createHash('sha256').update('holdfast-host\0').update(machineId).digest('hex');
  return `${hostname()}-${digest.slice(0, DIGEST_CHARACTERS)}`;
}

function readMachineId(): string | undefined {
  for (const file of MACHINE_ID_FILES) {
    try {
      const text = readFileSync(file, 'utf8').trim();
      if (text !== '') return text;
    } catch {
      // Not every system has the file; the next one is tried, and the hostname alone is a sound answer.
    }
  }
  return undefined;
}
