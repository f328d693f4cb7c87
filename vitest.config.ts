/** How the tests run: quick ones side by side, then those that use the real machine, two files at a time, and a few alone. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * Files that start containers, servers or whole programs. More than two at a time would disturb each other's times; two
 * also show that one Berth does not mind another beside it.
 */
const real = ['src/engines/podman/**/*.test.ts', 'script/**/*.test.ts', 'test/**/*.test.ts'];

/** Change the host itself, or mind that others do: Chromium drops its connections when a container's interface comes or goes. */
const alone = ['test/browser.test.ts', 'test/doctor-zram.test.ts'];

/** Lie beside the end-to-end tests, but only read the source. */
const readers = ['test/architecture.test.ts', 'test/documents.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Hundreds of command lines are started: compiled code is kept for them where the launcher keeps it.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '.berth/compiled') },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,sim,bench}/**/*.test.ts', ...readers],
          exclude: ['src/engines/podman/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: real,
          exclude: [...readers, ...alone],
          // A build, a boot and a deploy on a loaded machine with two cores.
          testTimeout: 240_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          testTimeout: 240_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
