import { describe, expect, it } from 'vitest';
import { hunt, zoo } from './zoo.ts';

/** Enough for each, several times over. */
const SEEDS = 1500;

describe('the bug zoo', () => {
  it.concurrent.each(zoo.map((mutant) => ({ name: mutant.name, mutant })))(
    '$name is found',
    { timeout: 1_800_000 },
    async ({ mutant }) => {
      const found = await hunt(mutant, { from: 1, seeds: SEEDS });
      expect(found?.violation?.property).toBeTruthy();
    },
  );

  it('refuses an edit that does not fit the code', async () => {
    const edits = [{ file: 'leadership/decide.ts', find: 'no such text', put: '' }];
    await expect(hunt({ name: 'none', breaks: '', edits }, { from: 1, seeds: 1 })).rejects.toThrow('exactly one place');
  });
});
