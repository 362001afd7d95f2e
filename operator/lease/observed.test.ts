import { describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { observed } from './observed.ts';
import { StoreError } from './store-error.ts';
import { MemoryStore } from './testing/memory-store.ts';

const key = 'highlander-leader-lock:default';
const call = { timeoutMs: 1000 };

function setUp() {
  const clock = new FakeClock();
  const inner = new MemoryStore(clock);
  const operation = vi.fn<(name: string, seconds: number, outcome: string) => void>();
  return { clock, inner, operation, store: observed(inner, { operation }, clock) };
}

describe('an observed store', () => {
  test('answers as the store itself, and each call is measured', async () => {
    const { inner, store, operation } = setUp();
    const written = await store.write(key, 'a', undefined, call);
    const version = written.ok ? written.version : '';
    expect(await store.read(key, call)).toEqual(await inner.read(key, call));
    expect(await store.list('highlander-', call)).toEqual(await inner.list('highlander-', call));
    expect(await store.remove(key, version, call)).toBe(true);
    expect(store.kind).toBe('memory');
    expect(operation.mock.calls).toEqual(['write', 'read', 'list', 'remove'].map((name) => [name, 0, 'ok']));
  });

  test('counts a write that lost as an answer', async () => {
    const { store, operation } = setUp();
    expect(await store.write(key, 'a', 'other', call)).toMatchObject({ ok: false });
    expect(operation).toHaveBeenCalledExactlyOnceWith('write', 0, 'ok');
  });

  test('tells how long a call took that ran out of time', async () => {
    const { clock, inner, store, operation } = setUp();
    vi.spyOn(inner, 'read').mockImplementation(async (_, { timeoutMs }) => {
      await clock.sleep(timeoutMs);
      throw new StoreError('timeout', 'late');
    });
    const reading = expect(store.read(key, call)).rejects.toMatchObject({ kind: 'timeout' });
    await clock.advance(1000);
    await reading;
    expect(operation).toHaveBeenCalledExactlyOnceWith('read', 1, 'timeout');
  });

  test.for([
    [new StoreError('unauthorized', 'no'), 'unauthorized'],
    [new Error('no longer wanted'), 'aborted'],
    ['text', 'aborted'],
  ] as const)('passes %s on, and counts it as %s', async ([reason, outcome]) => {
    const { inner, store, operation } = setUp();
    vi.spyOn(inner, 'list').mockRejectedValue(reason);
    await expect(store.list('highlander-', call)).rejects.toBe(reason);
    expect(operation).toHaveBeenCalledExactlyOnceWith('list', 0, outcome);
  });

  test('hints and the end go to the store', async () => {
    const { inner, store } = setUp();
    const hint = vi.fn<() => void>();
    const end = store.subscribe(key, hint);
    const first = await inner.write(key, 'a', undefined, call);
    expect(hint).toHaveBeenCalledOnce();
    end();
    await inner.write(key, 'b', first.ok ? first.version : '', call);
    expect(hint).toHaveBeenCalledOnce();
    const close = vi.spyOn(inner, 'close');
    await store.close();
    expect(close).toHaveBeenCalledOnce();
  });
});
