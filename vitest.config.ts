/** How the tests run: quick ones side by side, then those that use the real machine, two files at a time, and a few alone. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that start containers, servers or whole programs. More than two at a time would disturb each other's times; two
 * also show that one Berth does not mind another beside it.
 */
const real = ['src/engines/podman/**/*.test.ts', 'script/**/*.test.ts', 'test/**/*.test.ts'];

/** Change the host itself, or mind that others do: Chromium drops its connections when a container's interface comes or goes. */
const alone = ['test/browser.test.ts', 'test/doctor-zram.test.ts'];

/** Lie beside the end-to-end tests, but only read the source. */
const readers = ['test/architecture.test.ts', 'test/documents.test.ts'];

/** Mostly wait, for a minute and more: begun in turn with the others, each leaves the processor to one that works. */
const waiting = /\/(?:recycling|soak|chaos-unread|busy|goodbye)\.test\.ts$/;

/** The order that Vitest would choose, but the waiting ones come between the first that work, and not at the end. */
class InTurns extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const others = sorted.filter(({ project }) => project.name !== 'real');
    const ours = sorted.filter(({ project }) => project.name === 'real');
    const wait = ours.filter(({ moduleId }) => waiting.test(moduleId));
    const work = ours.filter(({ moduleId }) => !waiting.test(moduleId));
    const inTurns = wait.flatMap((one, index) => [one, ...work.slice(index, index + 1)]);
    return [...others, ...inTurns, ...work.slice(wait.length)];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: InTurns },
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
