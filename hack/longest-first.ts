/**
 * The order of test files: what takes minutes begins first, so that no core waits for it at the end. Where nothing is known
 * of earlier runs, as in CI, vitest goes by the size of the files, and these are among the smallest. Those of
 * several clusters stand in turns with those of one, so that the lanes do not start many at once.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Their paths. */
export const LONG = [
  'operator/sim/zoo.test.ts',
  'hack/model.test.ts',
  'operator/sim/sim.test.ts',
  'operator/cli/uninstall.test.ts',
  'operator/cli/start-up.test.ts',
  'e2e/cronjob.test.ts',
  'e2e/clusters.test.ts',
  'e2e/chaos.test.ts',
  'e2e/failover.test.ts',
  'e2e/late-write.test.ts',
  'e2e/stuck-pod.test.ts',
  'e2e/election.test.ts',
  'e2e/three-clusters.test.ts',
  'e2e/lifecycle.test.ts',
  'e2e/scale.test.ts',
  'e2e/verdicts.test.ts',
  'e2e/fence.test.ts',
  'e2e/process.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONG.findIndex((name) => moduleId.endsWith(`/${name}`));
      return index < 0 ? LONG.length : index;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
