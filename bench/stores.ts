/**
 * What the lease costs on each store, beside one raw round trip to the same server by the same client library. Ours and
 * the raw one take turns, so that whatever else the machine does meets both.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeRecord, type LeaseRecord } from '../operator/leadership/lease-record.ts';
import { cellKeys, type CellStore, type Version } from '../operator/lease/cell-store.ts';
import { Contender } from './contender.ts';
import { median, ms, percentile } from './numbers.ts';
import { SUBJECTS, type RoundTrip, type Subject } from './store-subjects.ts';
import type { Result, Row } from './table.ts';
import { untilAborted } from './until-aborted.ts';

const CALL = { timeoutMs: 5000 };
const WARM_UP = 100;
/** Before each measurement of a hand-over and each raw one beside it: what was left behind (hints, watches) has arrived. */
const PAUSE_MS = 50;

/** Needs no cluster: its servers are started and ended here. One after another hands over what was measured. */
export async function stores(signal: AbortSignal, results: Result[], only?: string): Promise<void> {
  for (const [name, open] of SUBJECTS) {
    if (only !== undefined && only !== name) continue;
    await using ending = new AsyncDisposableStack();
    const subject = await open(ending);
    if (typeof subject === 'string') {
      results.push({ rows: [], notes: [subject] });
      continue;
    }
    results.push(await untilAborted(measure(subject), signal));
  }
}

async function measure(subject: Subject): Promise<Result> {
  const renewals = await measureRenewals(subject);
  const handOvers = await measureHandOvers(subject);
  const row = (what: string, ours: readonly number[], raw: readonly number[], goal?: number): Row => ({
    measure: `${subject.name}: ${what}, p50 / p99`,
    ours: pair(ours),
    peer: `${pair(raw)} ${subject.raw.what}`,
    ratio: median(ours) / median(raw),
    ...(goal === undefined ? {} : { goal }),
  });
  const also = subject.also
    ? [
        `${subject.name}: ${subject.also.what} takes ${pair(renewals.also)}, so a renewal ${times(renewals.ours, renewals.also)} of it`,
      ]
    : [];
  const { acquired, released, left, raw } = handOvers;
  return {
    rows: [
      row('renew', renewals.ours, renewals.raw, 1.5),
      row('acquire a released lease', acquired, raw),
      row('release acknowledged → acquired', released, raw, 3),
    ],
    notes: [
      ...also,
      `${subject.name}: from the decision to leave to the next holder ${pair(left)}; ${subject.renewals} renewals, ${subject.handOvers} hand-overs`,
    ],
  };
}

/** As the elector renews: the record as text, written with the version of the last reply. */
async function measureRenewals({ open, raw, also, renewals }: Subject) {
  const store = await open();
  try {
    const key = cellKeys.lease('renewals');
    let { version } = await written(store, key, undefined);
    const renew = async () => void ({ version } = await written(store, key, version));
    const turns: readonly Turn[] = [renew, raw.run, ...(also ? [also.run] : [])].map((run) => ({ run, took: [] }));
    for (let n = -WARM_UP; n < renewals; n++) await everyTurn(turns, n);
    const [ours = [], theirs = [], others = []] = turns.map(({ took }) => took);
    return { ours, raw: theirs, also: others };
  } finally {
    await store.close();
  }
}

interface Turn {
  readonly run: RoundTrip['run'];
  readonly took: number[];
}

/** Each goes first as often as the others. Negative rounds warm up. */
async function everyTurn(turns: readonly Turn[], round: number): Promise<void> {
  const first = (round + WARM_UP) % turns.length;
  for (const { run, took } of [...turns.slice(first), ...turns.slice(0, first)]) {
    const elapsed = await timed(run);
    if (round >= 0) took.push(elapsed);
  }
}

async function written(store: CellStore, key: string, expected: Version | undefined): Promise<{ version: Version }> {
  const reply = await store.write(key, encodeRecord(RECORD), expected, CALL);
  if (!reply.ok) throw new Error('somebody else has written the cell');
  return reply;
}

const RECORD: LeaseRecord = {
  holder: 'highlander-7d4b9c6f5-x2v8q-1a2b3c4d',
  cluster: { id: '0d5f6a0e-3a42-4c39-9d5c-0a8f6f1f7c55', name: 'default' },
  term: 7,
  scope: 'single',
  ttlMs: 15_000,
  drainMs: 30_000,
  incarnation: '0123456789abcdef-0123456789abcdef',
  release: 'none',
  pending: [],
};

/** Two electors hand the lease to each other. */
async function measureHandOvers({ open, raw, handOvers }: Subject) {
  const samples = { acquired: [] as number[], released: [] as number[], left: [] as number[], raw: [] as number[] };
  const contenders = [new Contender('one', await open()), new Contender('two', await open())] as const;
  try {
    for (const each of contenders) await each.placed();
    for (let round = -2; round < handOvers; round++) {
      const sample = await handOver(round % 2 === 0 ? contenders : [contenders[1], contenders[0]]);
      if (round < 0) continue;
      for (const name of ['acquired', 'released', 'left'] as const) samples[name].push(sample[name]);
      samples.raw.push(await timed(raw.run));
      await sleep(PAUSE_MS);
    }
    return samples;
  } finally {
    for (const each of contenders) await each.close();
  }
}

/** The first acquires what is free, then leaves; the second, which stands by, acquires it; then nobody holds it. */
async function handOver([first, second]: readonly [Contender, Contender]) {
  const started = performance.now();
  const holder = first.stand();
  const acquired = (await holder.elected) - started;
  const standby = second.stand();
  await standby.watching();
  await sleep(PAUSE_MS);
  const leftAt = performance.now();
  const [releasedAt, electedAt] = await Promise.all([holder.leave(), standby.elected]);
  await standby.leave();
  await sleep(PAUSE_MS);
  return { acquired, released: electedAt - releasedAt, left: electedAt - leftAt };
}

async function timed(run: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function pair(values: readonly number[]): string {
  return `${ms(percentile(values, 0.5))} / ${ms(percentile(values, 0.99))}`;
}

function times(ours: readonly number[], raw: readonly number[]): string {
  return `${(median(ours) / median(raw)).toFixed(2)} times`;
}
