/** Of several that write at one time, one succeeds and the others know that they did not. */
import { expect, test } from 'vitest';
import type { CellStore, WriteReply } from '../cell-store.ts';
import { call, freshKey, okVersion, type Bench } from './conformance-bench.ts';

const racers = 10;

export function raceTests(bench: () => Bench): void {
  test('of ten that create a cell exactly one does', async () => {
    const stores = await Promise.all(Array.from({ length: racers }, () => bench().open()));
    for (let round = 0; round < 10; round += 1) {
      const key = freshKey();
      const replies = await Promise.all(stores.map((store, i) => store.write(key, `racer ${i}`, undefined, call)));
      expectOneWinner(replies);
      const winner = replies.findIndex((reply) => reply.ok);
      expect((await stores[0]?.read(key, call))?.cell?.value).toBe(`racer ${winner}`);
    }
  });

  test('two that write the very same value, as processes of one identity would, are told apart', async () => {
    const [one, other] = [await bench().open(), await bench().open()];
    const key = freshKey();
    const start = okVersion(await one.write(key, 'a', undefined, call));
    const replies = await Promise.all([one, other].map((store) => store.write(key, 'same', start, call)));
    expectOneWinner(replies);
    const held = okVersion(replies.find((reply) => reply.ok));
    expect(held).not.toBe(start);
    const renewed = okVersion(await other.write(key, 'same', held, call));
    expect(await one.write(key, 'same', held, call)).toMatchObject({ ok: false });
    expect((await one.read(key, call)).cell).toMatchObject({ value: 'same', version: renewed });
  });

  test('of ten that write with the same version exactly one does, in each of 50 rounds', async () => {
    const stores = await Promise.all(Array.from({ length: racers }, () => bench().open()));
    const key = freshKey();
    let version = okVersion(await first(stores).write(key, 'start', undefined, call));
    for (let round = 0; round < 50; round += 1) {
      await Promise.all(stores.map((store) => store.read(key, call)));
      const replies = await Promise.all(stores.map((store, i) => store.write(key, `racer ${i}`, version, call)));
      expectOneWinner(replies);
      const winner = replies.findIndex((reply) => reply.ok);
      const cell = (await first(stores).read(key, call)).cell;
      version = okVersion(replies[winner]);
      expect(cell).toMatchObject({ value: `racer ${winner}`, version });
    }
  }, 60_000);
}

function expectOneWinner(replies: readonly WriteReply[]): void {
  expect(replies.filter((reply) => reply.ok)).toHaveLength(1);
}

function first(stores: readonly CellStore[]): CellStore {
  const [store] = stores;
  if (!store) throw new Error('No store');
  return store;
}
