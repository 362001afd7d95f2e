import { expect, it } from 'vitest';
import { checkModel } from './model.ts';

it('the model of the lease holds, and needs each of its rules', { timeout: 300_000 }, async () => {
  const findings = await checkModel();
  expect(findings.filter(({ asExpected }) => !asExpected)).toEqual([]);
});
