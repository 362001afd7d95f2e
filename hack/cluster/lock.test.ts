import { expect, test } from 'vitest';
import { withLock } from './lock.ts';

test('lets one in at a time, and the next also after an error', async () => {
  const name = `test-${process.pid}`;
  const steps: string[] = [];
  const [isIn, waits] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = withLock(name, async () => {
    steps.push('first in');
    isIn.resolve();
    await waits.promise;
    steps.push('first out');
    throw new Error('failed');
  });
  await isIn.promise;
  const second = withLock(
    name,
    async () => void steps.push('second in'),
    () => {
      steps.push('second waits');
      waits.resolve();
    },
  );
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(steps).toEqual(['first in', 'second waits', 'first out', 'second in']);
});
