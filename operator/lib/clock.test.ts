import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeClock } from './testing/fake-clock.ts';
import { systemClock, type Clock } from './clock.ts';

const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const machine = { clock: systemClock, advance: async (ms: number) => void (await vi.advanceTimersByTimeAsync(ms)) };

/** Node's real timers fire what is too long for them at once; those of the test framework are gentler. */
function asNodeDoes(): void {
  const real = globalThis.setTimeout;
  const strict = (fire: () => void, ms = 0) => real(fire, ms >= 1 && ms <= 2 ** 31 - 1 ? ms : 1);
  vi.stubGlobal('setTimeout', strict);
}

function fake(): { clock: Clock; advance: (ms: number) => Promise<void> } {
  const clock = new FakeClock();
  return { clock, advance: (ms) => clock.advance(ms) };
}

it.each([25, 60, 1000])('a timer of %d days fires then, not at once', async (days) => {
  asNodeDoes();
  let fired = 0;
  systemClock.after(days * DAY_MS, () => fired++);
  await machine.advance(days * DAY_MS - 1000);
  expect(fired).toBe(0);
  await machine.advance(2000);
  expect(fired).toBe(1);
});

it('a long timer is cancelled after its first part, too', async () => {
  asNodeDoes();
  let fired = 0;
  const timer = systemClock.after(60 * DAY_MS, () => fired++);
  await machine.advance(30 * DAY_MS);
  timer.cancel();
  await machine.advance(60 * DAY_MS);
  expect(fired).toBe(0);
});

it.each([
  ['the real clock', () => machine],
  ['the clock of the tests', fake],
])('%s: what is endless or not a number never fires, and holds up nothing', async (_, make) => {
  const { clock, advance } = make();
  if (clock === systemClock) asNodeDoes();
  const fired: string[] = [];
  clock.after(Number.NaN, () => fired.push('NaN'));
  clock.after(Number.POSITIVE_INFINITY, () => fired.push('Infinity'));
  clock.after(-1, () => fired.push('negative'));
  clock.after(10, () => fired.push('10 ms'));
  await advance(100 * DAY_MS);
  expect(fired).toEqual(['negative', '10 ms']);
});

it('a sleep of years ends when its signal is aborted', async () => {
  asNodeDoes();
  const stop = new AbortController();
  const slept = systemClock.sleep(1e12, stop.signal);
  const outcome = expect(slept).rejects.toThrow('stopping');
  await machine.advance(30 * DAY_MS);
  stop.abort(new Error('stopping'));
  await outcome;
  expect(vi.getTimerCount()).toBe(0);
});
