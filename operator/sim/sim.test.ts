import { beforeAll, describe, expect, it } from 'vitest';
import { bundle, playBatch } from './campaign.ts';
import { profileNames } from './profiles.ts';
import { runSeed } from './run.ts';
import { runSchedule, schedules } from './schedules.ts';

/** The budget of each build; `npm run sim` plays as many as you like. */
const SEEDS = 2000;
const SEEDS_EACH = Math.ceil(SEEDS / profileNames.length);

describe('the simulation', () => {
  it('is a function of its seed', { timeout: 120_000 }, async () => {
    for (const seed of [3, 4, 8, 9, 10, 11]) {
      const [first, second] = [await runSeed({ seed }), await runSeed({ seed })];
      expect(second).toEqual(first);
      expect(first.events).toBeGreaterThan(10);
    }
  });

  it('differs from seed to seed', async () => {
    const hashes = await Promise.all([11, 12, 13, 14].map(async (seed) => (await runSeed({ seed })).hash));
    expect(new Set(hashes).size).toBe(4);
  });

  describe('in threads', () => {
    let code = '';
    beforeAll(async () => {
      code = await bundle();
    });

    it.concurrent.each(profileNames)('finds nothing in the profile %s', { timeout: 1_800_000 }, async (profile) => {
      const failed: string[] = [];
      let [runs, elections] = [0, 0];
      const batch = { from: 1, seeds: SEEDS_EACH, profile, schedules: false, untilFound: false };
      await playBatch(code, batch, (run) => {
        runs += 1;
        elections += run.elections;
        if (run.violation) failed.push(`${run.seed}: ${run.violation.property}: ${run.violation.detail}`);
      });
      expect(failed).toEqual([]);
      expect(runs).toBe(SEEDS_EACH);
      expect(elections).toBeGreaterThan(SEEDS_EACH);
    });
  });
});

describe('the known hole', () => {
  const FOR_GOOD = 'nobody answers';

  it('is met with the takeover `bounded`, when nobody works in a cluster', async () => {
    const { violation, holes } = await runSchedule(FOR_GOOD);
    expect(violation).toBeUndefined();
    expect(holes).toBe(3);
  });

  it('is not there with `strict`', async () => {
    const { violation, holes, parkings } = await runSchedule(`strict, and ${FOR_GOOD}`);
    expect(violation).toBeUndefined();
    expect([holes, parkings]).toEqual([0, 3]);
  });
});

describe('the schedules that broke earlier versions of the protocol', () => {
  it.each(Object.entries(schedules).map(([name, { what }]) => ({ name, what })))('$name: $what', async ({ name }) => {
    const { violation, elections } = await runSchedule(name);
    expect(violation).toBeUndefined();
    expect(elections).toBeGreaterThan(0);
  });
});
