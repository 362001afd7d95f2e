import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './hack/longest-first.ts';
import { controlPlanePath } from './hack/cluster/build.ts';

/** `unit`: beside the code, the stores against real servers. `e2e`: against real clusters, in two lanes of one file after another. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{operator,hack,bench,e2e/support}/**/*.test.ts'],
          environment: 'node',
          testTimeout: 20_000,
          hookTimeout: 60_000,
          restoreMocks: true,
          // Of the tests that run beside each other in one file: those of the simulator, which only compute.
          maxConcurrency: availableParallelism(),
          // They wait for servers more than they compute.
          maxWorkers: 2,
          env: { HIGHLANDER_TEST_KUBERNETES_BINARY: controlPlanePath() },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/*.test.ts'],
          environment: 'node',
          testTimeout: 300_000,
          hookTimeout: 900_000,
          globalSetup: 'e2e/support/global-setup.ts',
          // Each lane has clusters of its own; see `sharedCluster`. They wait more than they compute.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    coverage: { provider: 'v8', include: ['operator/**/*.ts'], exclude: ['**/testing/**', '**/*.test.ts'] },
  },
});
