import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withLock } from './lock.ts';

test('lets one in at a time, and the next also after an error', async () => {
  const name = `test-${process.pid}`;
  const steps: string[] = [];
  const first = withLock(name, async () => {
    steps.push('first in');
    await sleep(50);
    steps.push('first out');
    throw new Error('failed');
  });
  await sleep(10);
  const second = withLock(
    name,
    async () => void steps.push('second in'),
    () => steps.push('second waits'),
  );
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(steps).toEqual(['first in', 'second waits', 'first out', 'second in']);
});
