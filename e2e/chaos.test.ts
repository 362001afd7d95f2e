/** A short selection of what `make chaos` plays: no workload ever runs twice, and all of them come back. */
import { afterEach, expect, it } from 'vitest';
import { play } from './support/chaos/campaign.ts';
import { tableOf, violationsOf } from './support/chaos/table.ts';

const CHOSEN = ['rolling restart of all', 'edits and deletes during a hand-over', 'store cut off from one cluster'];

const stopping = new AbortController();
afterEach(() => stopping.abort());

it('two clusters under faults', async () => {
  const say = (line: string): void => console.log(line);
  const result = await play({ chosen: CHOSEN, rounds: 1, seed: 7, say, stopping: stopping.signal });
  say(tableOf(result));
  expect(violationsOf(result)).toEqual([]);
  expect(result.rounds).toHaveLength(CHOSEN.length);
  const rollout = result.rounds.find(({ fault }) => fault === 'rolling restart of all');
  expect(Math.max(...(rollout?.gaps ?? [Infinity]))).toBeLessThan(1000);
}, 600_000);
