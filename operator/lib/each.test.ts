import { expect, it } from 'vitest';
import { forEach } from './each.ts';

it('does so many at a time, and all of them although one fails', async () => {
  const done: number[] = [];
  let atOnce = 0;
  let most = 0;
  const work = async (n: number): Promise<void> => {
    most = Math.max(most, (atOnce += 1));
    await Promise.resolve();
    atOnce -= 1;
    if (n === 2) throw new Error('two');
    done.push(n);
  };
  await expect(forEach([1, 2, 3, 4, 5], 2, work)).rejects.toThrow('two');
  expect([done, most]).toEqual([[1, 3, 4, 5], 2]);
  await forEach([], 2, work);
});
