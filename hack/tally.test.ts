import { describe, expect, it } from 'vitest';
import { add, failures, fromVitest, summary } from './tally.ts';

describe('the tally', () => {
  it('adds suites up', () => {
    const all = add({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 });
    expect(summary(all)).toBe('11 passed, 22 failed, 33 skipped');
  });

  it('reads a report', () => {
    const report = { numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 };
    expect(fromVitest(report, false)).toEqual({ passed: 5, failed: 1, skipped: 3 });
  });

  it('counts a run that failed without a failed test', () => {
    expect(fromVitest({ numPassedTests: 5, numFailedTests: 0 }, false)).toEqual({ passed: 5, failed: 1, skipped: 0 });
  });

  it('names what failed, and files that do not load', () => {
    const assertionResults = [
      { status: 'passed', fullName: 'a works' },
      { status: 'failed', fullName: 'b works', failureMessages: ['expected 1 to be 2\n    at b.test.ts'] },
    ];
    const testResults = [
      { name: 'b.test.ts', status: 'failed', message: '', assertionResults },
      { name: 'c.test.ts', status: 'failed', message: 'Cannot find module', assertionResults: [] },
      { name: 'd.test.ts', status: 'passed', message: '', assertionResults: [] },
    ];
    expect(failures({ testResults })).toEqual([
      'b.test.ts > b works: expected 1 to be 2',
      'c.test.ts: Cannot find module',
    ]);
  });
});
