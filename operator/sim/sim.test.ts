import { describe, expect, it } from 'vitest';
import { profileNames } from './profiles.ts';
import { runSeed } from './run.ts';
import { runSchedule, schedules } from './schedules.ts';

/** The budget of each build; `npm run sim` plays as many as you like. */
const SEEDS = 2000;

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

  it.each(profileNames)('finds nothing in the profile %s', { timeout: 900_000 }, async (profile) => {
    const failed: string[] = [];
    let elections = 0;
    for (let seed = 1; seed <= SEEDS / profileNames.length; seed++) {
      const result = await runSeed({ seed, profile });
      elections += result.elections;
      if (result.violation) failed.push(`${seed}: ${result.violation.property}: ${result.violation.detail}`);
    }
    expect(failed).toEqual([]);
    expect(elections).toBeGreaterThan(SEEDS / profileNames.length);
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
