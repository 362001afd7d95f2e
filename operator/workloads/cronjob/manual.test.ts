/** Runs that a person asks for: `kubectl create job NAME --from=cronjob/…`, while each run of the schedule is claimed. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CronJob, Job } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { decodeLedger } from '../../ledger/cron-ledger.ts';
import { cellKeys } from '../../lease/cell-store.ts';
import { MemoryStore } from '../../lease/testing/memory-store.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { ClaimedWorld, MINUTE_MS } from './testing/claimed-world.ts';

const { cronJobs, jobs } = childTypes;
const SECONDS = 1_893_456_000; // 2030-01-01, as date +%s has it
const NAMES = [
  'backup-manual',
  'backup-manual-x7f2',
  'web-manual-20300101',
  `web-manual-${SECONDS}`,
  'web-manual-20300101000130',
  `web-${SECONDS}`,
  'web-20300101',
  'web-99999999',
  'web-1',
  'web-1e9',
  'web-9007199254740991',
];

let store: MemoryStore;
let world: ClaimedWorld;

async function start(clusterId: string, spec: Record<string, unknown> = {}): Promise<ClaimedWorld> {
  const started = new ClaimedWorld(clusterId, store, spec);
  await started.reconcile();
  await started.reconcile();
  return started;
}

async function ledger() {
  const { cell } = await store.read(cellKeys.ledger('default', 'default', 'web'), { timeoutMs: 1000 });
  return decodeLedger(cell?.value ?? '').ledger;
}

const runsOf = (name: string) => world.begunJobs.filter((each) => each === name).length;

beforeEach(async () => {
  store = new MemoryStore(new FakeClock());
  world = await start('east');
});

describe.each(NAMES)('a run that a person asks for as %s', (name) => {
  it('takes place once, the schedule goes on, and the ledger never hears of it', async () => {
    await world.clock.advance(MINUTE_MS / 2);
    const before = await ledger();
    world.askFor(name);
    await world.reconcile();
    expect(world.begunJobs).toEqual([name]);
    expect(await ledger()).toEqual(before);
    world.finish();
    await world.reconcile();
    for (let n = 0; n < 2; n++) {
      await world.nextMinute();
      world.finish();
      await world.reconcile();
    }
    expect(world.begunJobs.filter((each) => each !== name)).toHaveLength(2);
    expect(runsOf(name)).toBe(1);
    expect((await ledger()).mark).toBeLessThanOrEqual(world.clock.wall());
  });
});

describe('a run that a person asks for', () => {
  it('begins once, although its leader dies just before or after', async () => {
    world.askFor('web-manual');
    const { onWrite } = world.cluster;
    world.cluster.onWrite = (write, object) => {
      onWrite(write, object);
      if (write.kind === 'Job') throw new Error('the process was killed here');
    };
    await expect(world.reconcile()).rejects.toThrow('killed');
    world.cluster.onWrite = onWrite;
    world.newLeader(8);
    await world.reconcile();
    world.newLeader(9);
    await world.reconcile();
    expect(runsOf('web-manual')).toBe(1);
  });

  it('is not begun again when its cluster was stopped midway, and an event says so', async () => {
    world.askFor('web-manual');
    await world.reconcile();
    const job = world.job('web-manual')!;
    world.editJob(job, { spec: { ...job.spec, suspend: true } });
    world.newLeader(8);
    await world.reconcile();
    expect(world.job('web-manual')).toBeUndefined();
    expect(world.events).toContain('RunInterrupted');
    expect(runsOf('web-manual')).toBe(1);
  });

  it('in a cluster that may not run waits until that may', async () => {
    const west = await start('west');
    await world.reconcile();
    west.editChild<CronJob>(cronJobs, (found) => ({ ...found, spec: { ...found.spec, suspend: true } }));
    west.askFor('web-manual');
    expect(west.job('web-manual')?.spec.suspend).toBe(true);
    west.newLeader(9);
    await west.reconcile();
    await west.reconcile();
    expect(west.begunJobs).toEqual(['web-manual']);
  });

  it('takes place while the schedule is suspended', async () => {
    world.edit({ schedule: '* * * * *', suspend: true });
    await world.reconcile();
    world.askFor('web-manual');
    await world.reconcile();
    expect(world.begunJobs).toEqual(['web-manual']);
  });

  it.each([
    ['waits for one that is under way', { schedule: '* * * * *' }, 1],
    ['does not wait with concurrencyPolicy Allow', { schedule: '* * * * *', concurrencyPolicy: 'Allow' }, 2],
  ])('%s', async (_, spec, expected) => {
    world.edit(spec);
    await world.reconcile();
    await world.nextMinute();
    world.askFor('web-manual');
    await world.reconcile();
    expect(world.begunJobs).toHaveLength(expected);
    world.finish();
    await world.reconcile();
    expect(world.begun).toEqual([1]);
    expect(runsOf('web-manual')).toBe(1);
  });

  it('holds up a run of the schedule, which takes place afterwards', async () => {
    world.askFor('web-manual');
    await world.reconcile();
    await world.clock.advance(MINUTE_MS + 11_000);
    await world.reconcile();
    expect(world.begun).toEqual([]);
    world.finish();
    await world.reconcile();
    expect(world.begun).toEqual([1]);
  });

  it('is nothing that a template can make of every run', async () => {
    world.edit({
      schedule: '* * * * *',
      annotations: {
        'cronjob.kubernetes.io/instantiate': 'manual',
        'batch.kubernetes.io/cronjob-scheduled-timestamp': 'x',
      },
    });
    await world.reconcile();
    expect(Object.keys(world.child<CronJob>(cronJobs)?.spec.jobTemplate.metadata?.annotations ?? {})).toEqual([
      'highlander.plexobject.io/template-hash',
    ]);
  });
});

describe('a Job that only looks like one of the schedule', () => {
  const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
  it.each([
    ['of the year 5384', 'web-1795674240', '5384-03-01T00:00:00Z'],
    ['with another name', 'web-other', '2030-01-01T00:01:00Z'],
    ['with half a minute', 'web-31557601', '2030-01-01T00:01:30Z'],
    ['with a time that is none', 'web-31557601', 'soon'],
    ['with a time that no ledger can hold', 'web-31557601', '+275760-09-13T00:00:00Z'],
  ])('%s is removed without a run', async (_, name, scheduled) => {
    world.askFor(name);
    const job = world.job(name)!;
    const annotations = { ...job.metadata.annotations, [SCHEDULED]: scheduled };
    world.cluster.edit<Job>(jobs, { ...job, metadata: { ...job.metadata, annotations } });
    await world.clock.advance(MINUTE_MS / 2);
    await world.reconcile();
    expect(world.job(name)).toBeUndefined();
    expect(world.begunJobs).toEqual([]);
    expect(world.events).toContain('RunsSkipped');
    expect((await ledger()).mark).toBeLessThanOrEqual(world.clock.wall());
    await world.nextMinute();
    expect(world.begun).toEqual([1]);
  });

  it('of a minute to come does not begin before its time', async () => {
    await world.clock.advance(MINUTE_MS / 4);
    world.makeJob(Date.UTC(2030, 0, 1, 0, 30));
    await world.reconcile();
    expect(world.begunJobs).toEqual([]);
    expect((await ledger()).mark).toBeLessThanOrEqual(world.clock.wall());
  });
});
