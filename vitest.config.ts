import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Two cores: unit tests share them, end-to-end tests (real processes, kills, clocks) have the machine for themselves.
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          // What has a command of its own needs more than a user's rights.
          exclude: ['test/e2e/**', 'test/nat/**'],
          // On a busy machine what is waited for comes when it comes: vitest's own limits are five and ten seconds, and one.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 10_000 } },
          // Most of them wait for disks and short clocks: one worker (the default on two cores) leaves a core idle.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'e2e',
          globalSetup: 'test/e2e/support/bundle-once.ts',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
