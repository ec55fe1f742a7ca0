/** @module Small files, `npm run bench -- small [--files 2000] [--bytes 4096] [--in-flight 16]`: written, read, looked at, deleted. */
import { HoldfastSmall } from './holdfast-small.ts';
import { MountedSmall } from './mounted-small.ts';
import type { Case, Suite } from './suite.ts';

const per = '1,000 files';
const cases: readonly Case[] = [
  { name: 'write', unit: '/s', per },
  { name: 'read', unit: '/s', per },
  { name: 'stat', unit: '/s', per },
  { name: 'delete', unit: '/s', per },
];

const defaults = { files: 2000, bytes: 4096, 'in-flight': 16 };

export const suite: Suite<Case, typeof defaults> = {
  options: defaults,
  runs: 3,
  plan({ files, bytes, 'in-flight': inFlight }) {
    const load = { files, bytes, inFlight };
    return {
      cases,
      holdfast: () => HoldfastSmall.start(load),
      peers: {
        moosefs: (peers) => MountedSmall.start(peers, 'moosefs', load),
        gluster: (peers) => MountedSmall.start(peers, 'gluster', load),
      },
    };
  },
};
