/** Hints come soon, to whom they are meant for, and end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { call, freshKey, okVersion, type Bench } from './conformance-bench.ts';

export function hintTests(bench: () => Bench, hintMs: number): void {
  test(`a write is hinted at within ${hintMs} ms as a rule, and no longer after the end`, async () => {
    const [listener, writer] = [await bench().open(), await bench().open()];
    const key = freshKey();
    let version = okVersion(await writer.write(key, 'a', undefined, call));
    const hint = vi.fn<() => void>();
    const end = listener.subscribe(key, hint);
    await vi.waitFor(() => expect(hint).toHaveBeenCalled(), 5000);
    await sleep(100);
    const delays: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      hint.mockClear();
      const start = performance.now();
      version = okVersion(await writer.write(key, `b ${round}`, version, call));
      await vi.waitFor(() => expect(hint).toHaveBeenCalled(), { timeout: 2000, interval: 5 });
      delays.push(performance.now() - start);
    }
    expect(delays.sort((a, b) => a - b)[5]).toBeLessThan(hintMs);
    end();
    await sleep(50);
    hint.mockClear();
    okVersion(await writer.write(key, 'c', version, call));
    await sleep(200);
    expect(hint).not.toHaveBeenCalled();
  });

  test('two listeners end apart from each other', async () => {
    const store = await bench().open();
    const [key, other] = [freshKey(), freshKey()];
    const [one, two, elsewhere] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()];
    const end = store.subscribe(key, one);
    store.subscribe(key, two);
    await vi.waitFor(() => expect(one).toHaveBeenCalled(), 5000);
    store.subscribe(other, elsewhere);
    await vi.waitFor(() => expect(elsewhere).toHaveBeenCalled(), 5000);
    await vi.waitFor(() => expect(two).toHaveBeenCalled(), 5000);
    await sleep(100);
    end();
    end();
    for (const hint of [one, two, elsewhere]) hint.mockClear();
    okVersion(await store.write(key, 'a', undefined, call));
    await vi.waitFor(() => expect(two).toHaveBeenCalled(), 5000);
    expect(one).not.toHaveBeenCalled();
    expect(elsewhere).not.toHaveBeenCalled();
  });
}
