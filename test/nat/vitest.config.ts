/** @module `npm run test:nat`: apart from the other tests, as it needs root, iproute2 and nftables. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfigExport } from 'vitest/config';

const config: ViteUserConfigExport = defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    globalSetup: 'test/e2e/support/bundle-once.ts',
    include: ['test/nat/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});

export default config;
