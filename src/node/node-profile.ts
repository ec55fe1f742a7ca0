/** @module The client profile that founding and joining leave for the user who ran them. */
import { isHoldfastError } from '../common/errors.ts';
import { loadProfile, type Profile, profileKeyFile, saveProfile, writingProfile } from '../client/profile.ts';
import { loadOrCreateIdentity } from '../network/identity.ts';
import { makeDirectory } from '../storage/make-directory.ts';

/** `kept`: one for this cluster was there. `other`: one for another cluster was there, and stays. */
export type ProfileOutcome = 'written' | 'kept' | 'other';

const PRIVATE_DIRECTORY_MODE = 0o700;

export interface PreparedProfile {
  /** Peer id of the client to enrol; undefined when no new profile will be written. */
  readonly newClient: string | undefined;
  /** Writes the profile unless one was there. Call it once the cluster knows the client. */
  save(profile: Profile): Promise<ProfileOutcome>;
}

/**
 * Makes the client's key before anything is asked of the cluster, so that a repeated join names the same client.
 * `replaces`: whether the profile of that other cluster makes room, its key staying the user's.
 * Errors: CLIENT_BAD_PROFILE, CLIENT_PROFILE_NOT_WRITABLE.
 */
export async function prepareProfile(
  profileDir: string,
  clusterId: string,
  replaces: (formerCluster: string) => boolean = () => false,
): Promise<PreparedProfile> {
  const existing = await loadIfThere(profileDir);
  if (existing !== undefined && (existing.clusterId === clusterId || !replaces(existing.clusterId))) {
    const outcome = existing.clusterId === clusterId ? 'kept' : 'other';
    return { newClient: undefined, save: () => Promise.resolve(outcome) };
  }
  const { peer } = await writingProfile(profileDir, async () => {
    await makeDirectory(profileDir, PRIVATE_DIRECTORY_MODE);
    return loadOrCreateIdentity(profileKeyFile(profileDir));
  });
  return {
    newClient: peer,
    async save(profile) {
      await saveProfile(profileDir, profile);
      return 'written';
    },
  };
}

async function loadIfThere(profileDir: string): Promise<Profile | undefined> {
  try {
    return await loadProfile(profileDir);
  } catch (error) {
    if (isHoldfastError(error, 'CLIENT_NO_PROFILE')) return undefined;
    throw error;
  }
}
