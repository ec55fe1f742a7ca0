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

export const suite: Suite = {
  options: { files: '2000', bytes: '4096', 'in-flight': '16' },
  runs: 3,
  plan(options) {
    const load = {
      files: Number(options['files']),
      bytes: Number(options['bytes']),
      inFlight: Number(options['in-flight']),
    };
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
