/** What a store must bear of the processes that use it: that they are killed, stand still, or live in another time. */
import { expect, test, vi } from 'vitest';
import { call, freshKey, type Bench } from './conformance-bench.ts';
import { faketime } from './faketime.ts';
import type { Counted } from './store-worker.ts';
import { Worker } from './worker.ts';

export function processTests(bench: () => Bench): void {
  test('four lose no write to each other, not even when one is killed and one stands still', async () => {
    await using processes = new AsyncDisposableStack();
    const task = { store: bench().harness.task, key: freshKey(), work: 'count' } as const;
    const workers = Array.from({ length: 4 }, () => processes.adopt(Worker.start(task), (worker) => worker.end()));
    const long = { timeout: 20_000 };
    for (const worker of workers) await expect.poll(() => worker.lines.length, long).toBeGreaterThan(3);
    await workers[0]?.end();
    // Whoever is stopped in the middle of a write has the lock of its file, and nobody can take that from it.
    const attempts = task.store.kind === 'sqlite' ? 10 : 1;
    expect(await goOnWithout(workers, long.timeout / attempts, attempts)).toBe(true);
    for (const worker of workers) await worker.end();
    const counts = workers.flatMap(({ lines }) => (lines as readonly Counted[]).map(({ count }) => count));
    expect(new Set(counts).size).toBe(counts.length);
    const last = Number((await (await bench().open()).read(task.key, call)).cell?.value);
    // Of each process that was killed, one acknowledged write may not have been told of.
    expect(last - counts.length).toBeLessThanOrEqual(4);
    expect(Math.max(...counts)).toBeLessThanOrEqual(last);
  }, 60_000);
}

/** The second one stands still, and the last two write on: at one of the attempts to stop it, each so long. */
async function goOnWithout(workers: readonly Worker[], timeout: number, attempts: number): Promise<boolean> {
  const [, second, ...others] = workers;
  for (let attempt = 0; attempt < attempts; attempt++) {
    second?.pause();
    const before = others.map(({ lines }) => lines.length);
    const steps = () => Math.min(...others.map(({ lines }, index) => lines.length - (before[index] ?? 0)));
    const goesOn = await vi.waitUntil(() => steps() > 3, { timeout }).catch(() => false);
    if (goesOn) return true;
    second?.resume();
    await vi.waitUntil(() => steps() > 3, { timeout: 10_000 }).catch(() => {});
  }
  return false;
}

export function clockTests(bench: () => Bench): void {
  test.for([3600, -3600])('a process that is wrong by %d s sees and leaves the same ages', async (shift) => {
    const task = { store: bench().harness.task, key: freshKey(), work: 'once' } as const;
    await using worker = Worker.start(task, faketime(shift));
    const answer = await worker.answer();
    expect(Math.abs(answer.wallMs - Date.now() - shift * 1000)).toBeLessThan(60_000);
    expect(Math.abs(answer.storeTimeMs - Date.now())).toBeLessThan(60_000);
    expect(answer.ageMs).toBeLessThan(5000);
    const { cell } = await (await bench().open()).read(task.key, call);
    expect(cell).toMatchObject({ value: 'written' });
    expect(cell?.ageMs).toBeLessThan(10_000);
  });
}
