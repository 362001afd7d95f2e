import { expect, test } from 'vitest';
import { GiveUp, waitFor } from './wait.ts';

test('returns what the probe found', async () => {
  let calls = 0;
  expect(await waitFor('it', () => (++calls === 3 ? 'found' : undefined), { everyMs: 1 })).toBe('found');
});

test('tells what it waited for, and the last error', async () => {
  const probe = (): never => {
    throw new Error('connection refused');
  };
  await expect(waitFor('the server', probe, { timeoutMs: 10, everyMs: 1 })).rejects.toThrow(
    'waited 0.01 s for the server; last error: connection refused',
  );
});

test('does not wait for what cannot happen', async () => {
  const probe = (): never => {
    throw new GiveUp('it ended');
  };
  await expect(waitFor('the server', probe)).rejects.toThrow('it ended');
});

test('can be interrupted', async () => {
  const abort = new AbortController();
  const waiting = waitFor('it', () => undefined, { signal: abort.signal });
  abort.abort(new Error('interrupted'));
  await expect(waiting).rejects.toThrow('interrupted');
});
