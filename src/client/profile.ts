/** @module What a client keeps between runs: its key, its cluster, and the nodes it knows. */
import { randomUUID } from 'node:crypto';
import { chmod, open, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isHoldfastError } from '../common/errors.ts';
import type { PeerId } from '../network/network.ts';
import { makeDirectory } from '../storage/make-directory.ts';
import { badProfile, noProfile, profileNotWritable } from './errors.ts';

export interface KnownPeer {
  readonly peer: PeerId;
  /** Multiaddrs, with or without /p2p/<peer>. */
  readonly addresses: readonly string[];
}

export interface Profile {
  readonly clusterId: string;
  readonly clusterName: string;
  /** Metadata nodes, at most MAX_KNOWN_PEERS. */
  readonly peers: readonly KnownPeer[];
  /** As of when `peers` are the metadata nodes (dht/membership-ring.ts): what is older is not believed. Absent: unknown. */
  readonly epoch?: number;
  /** Other nodes, at most MAX_KNOWN_DATANODES: they tell where the metadata nodes are when all of those have moved. */
  readonly datanodes?: readonly KnownPeer[];
  /** True: nodes in the local network that answer multicast are asked, too. */
  readonly mdns?: boolean;
}

/** A profile remembers at most this many metadata nodes. */
export const MAX_KNOWN_PEERS = 32;
export const MAX_KNOWN_DATANODES = 32;

const PRIVATE_FILE_MODE = 0o600;
const PRIVATE_DIRECTORY_MODE = 0o700;

/** HOLDFAST_PROFILE unless it is empty, or .holdfast/client in the user's home. */
export function defaultProfileDir(): string {
  return process.env.HOLDFAST_PROFILE || join(homedir(), '.holdfast', 'client');
}

/** Where a profile directory keeps the Ed25519 identity of its client. */
export function profileKeyFile(profileDir: string): string {
  return join(profileDir, 'key');
}

/** Errors: CLIENT_NO_PROFILE (nothing there), CLIENT_BAD_PROFILE (not readable as a profile). */
export async function loadProfile(profileDir: string): Promise<Profile> {
  const file = profileFile(profileDir);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw isMissing(cause) ? noProfile(profileDir) : badProfile(file, cause);
  }
  try {
    return checkProfile(JSON.parse(text));
  } catch (cause) {
    throw badProfile(file, cause);
  }
}

/** Replaces the profile atomically; the directory and the file are readable by their owner only. Errors: CLIENT_PROFILE_NOT_WRITABLE. */
export async function saveProfile(profileDir: string, profile: Profile): Promise<void> {
  const text = `${JSON.stringify(profile, undefined, 2)}\n`;
  await writingProfile(profileDir, () => replacePrivateFile(profileDir, profileFile(profileDir), text));
}

/** Runs what writes into a profile's directory; what the system has against it becomes CLIENT_PROFILE_NOT_WRITABLE. */
export async function writingProfile<T>(profileDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isHoldfastError(error) ? error : profileNotWritable(profileDir, error);
  }
}

/** The same for any `file` in the profile's directory. */
export async function replacePrivateFile(profileDir: string, file: string, text: string): Promise<void> {
  await makeDirectory(profileDir, PRIVATE_DIRECTORY_MODE);
  // Clients may share a profile, also those of containers, which all have the same process id: none shall rename what another writes.
  const temporary = `${file}.${randomUUID()}.new`;
  const handle = await open(temporary, 'w', PRIVATE_FILE_MODE);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(temporary, PRIVATE_FILE_MODE);
  await rename(temporary, file);
}

function profileFile(profileDir: string): string {
  return join(profileDir, 'profile.json');
}

function checkProfile(value: unknown): Profile {
  const fields = Object(value) as Record<string, unknown>;
  const { clusterId, clusterName, peers, epoch, datanodes = [], mdns } = fields;
  if (typeof clusterId !== 'string' || clusterId === '') throw new TypeError('clusterId is missing');
  if (typeof clusterName !== 'string') throw new TypeError('clusterName is missing');
  if (!Array.isArray(peers) || peers.length === 0) throw new TypeError('peers is missing or empty');
  if (epoch !== undefined && !Number.isSafeInteger(epoch)) throw new TypeError('epoch is not a number');
  if (!Array.isArray(datanodes)) throw new TypeError('datanodes is no list');
  return {
    clusterId,
    clusterName,
    peers: peers.slice(0, MAX_KNOWN_PEERS).map(checkPeer),
    epoch: Number(epoch ?? 0),
    datanodes: datanodes.slice(0, MAX_KNOWN_DATANODES).map(checkPeer),
    ...(mdns === true && { mdns }),
  };
}

function checkPeer(value: unknown): KnownPeer {
  const { peer, addresses } = Object(value) as Record<string, unknown>;
  if (typeof peer !== 'string' || peer === '') throw new TypeError('a peer has no id');
  if (!Array.isArray(addresses) || !addresses.every((address) => typeof address === 'string'))
    throw new TypeError(`peer ${peer} has no list of addresses`);
  return { peer, addresses };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
