import { describe, expect, it } from 'vitest';
import { newRedactor } from '../lib/redactor.ts';
import { silentLogger } from '../lib/logger.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { ApiError, type KubeObject } from './cluster-client.ts';
import { type EventInput, EventRecorder, type EventRecorderOptions } from './events.ts';

type Written = KubeObject & Record<string, unknown>;

function recorder(options: Partial<EventRecorderOptions> = {}) {
  const clock = new FakeClock();
  const created: Written[] = [];
  const patched: unknown[] = [];
  const client = {
    create: async <T extends KubeObject>(_: unknown, body: T): Promise<T> => (created.push(body as Written), body),
    patch: async <T extends KubeObject>(_: unknown, __: unknown, body: unknown): Promise<T> => (
      patched.push(body),
      {} as T
    ),
  };
  const made = new EventRecorder({
    client,
    clock,
    logger: silentLogger,
    reportingController: 'example.com/op',
    reportingInstance: 'me',
    ...options,
  });
  return { recorder: made, clock, created, patched, client };
}

const input: EventInput = {
  regarding: { apiVersion: 'example.com/v1', kind: 'Thing', name: 't', namespace: 'a', uid: 'u' },
  type: 'Normal',
  reason: 'PodCreated',
  action: 'CreatePod',
  note: 'Created pod t',
};

describe('EventRecorder', () => {
  it('writes an event of events.k8s.io/v1 with all that the server demands', async () => {
    const { recorder: r, clock, created } = recorder();
    r.record(input);
    expect(created).toHaveLength(0);
    await clock.settle();
    expect(created[0]).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: expect.stringMatching(/^t\.[0-9a-f]{8}-[0-9a-f]{4}$/), namespace: 'a' },
      eventTime: '2030-01-01T00:00:00.000000Z',
      reportingController: 'example.com/op',
      reportingInstance: 'me',
      type: 'Normal',
      reason: 'PodCreated',
      action: 'CreatePod',
      note: 'Created pod t',
      regarding: input.regarding,
    });
  });

  it('writes no secret of the configuration, also where it is cut', async () => {
    const { recorder: r, clock, created, client } = recorder();
    const redact = newRedactor(['hunter2-and-more']);
    const { recorder: redacting } = recorder({ client: { ...client, redact } });
    for (const each of [r, redacting]) each.record({ ...input, note: `${'x'.repeat(1010)}hunter2-and-more` });
    await clock.settle();
    redacting.record({ ...input, note: 'refused: hunter2-and-more' });
    await redacting.close();
    expect(created.at(-1)?.['note']).toBe('refused: ***');
    expect(JSON.stringify(created.slice(1))).not.toContain('hunter2');
  });

  it('counts a repeated event instead of writing it anew, at most every 30 s, until 6 min have passed', async () => {
    const { recorder: r, clock, created, patched } = recorder();
    for (let n = 0; n < 4; n++) {
      r.record(input);
      await clock.advance(1000);
    }
    expect([created.length, patched.length]).toEqual([1, 0]);
    await clock.advance(30_000);
    expect(patched).toEqual([{ series: { count: 4, lastObservedTime: '2030-01-01T00:00:03.000000Z' } }]);
    await clock.advance(6 * 60_000);
    r.record(input);
    await clock.settle();
    expect([created.length, patched.length]).toEqual([2, 1]);
    await r.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('writes a counted event anew when the server has forgotten the first', async () => {
    const { recorder: r, clock, created, client } = recorder();
    client.patch = async () => {
      throw new ApiError(404, 'NotFound', 'gone');
    };
    r.record(input);
    await clock.settle();
    r.record(input);
    await clock.advance(30_000);
    expect(created[1]).toMatchObject({ series: { count: 2 } });
  });

  it('cuts a long note at 1024 bytes, between characters, and puts cluster-scoped events into default', async () => {
    const { recorder: r, clock, created } = recorder();
    r.record({ ...input, note: 'é'.repeat(600), regarding: { apiVersion: 'v1', kind: 'Node', name: 'n' } });
    await clock.settle();
    const note = created[0]?.['note'] as string;
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
    expect(note).toMatch(/^é+…$/);
    expect(created[0]?.metadata.namespace).toBe('default');
  });

  it('records nothing while it is not enabled', async () => {
    let leading = false;
    const { recorder: r, clock, created } = recorder({ enabled: () => leading });
    r.record(input);
    leading = true;
    r.record({ ...input, note: 'other' });
    await clock.advance(1000);
    expect(created).toHaveLength(1);
  });

  it('drops what does not fit or is refused, counts it, keeps its rate, and never throws', async () => {
    const { recorder: r, clock, client } = recorder({ capacity: 3, perSecond: 10 });
    let calls = 0;
    client.create = async () => {
      calls++;
      throw new ApiError(429, 'TooManyRequests', 'slow', 5000);
    };
    for (let n = 0; n < 10; n++) r.record({ ...input, note: `note ${n}` });
    expect(r.dropped).toBe(7);
    await clock.advance(4999);
    expect(calls).toBe(1);
    await clock.advance(1);
    expect(calls).toBe(2);
  });

  it('flushes on close, but only so long', async () => {
    const { recorder: r, clock, created } = recorder();
    for (let n = 0; n < 5; n++) r.record({ ...input, note: `note ${n}` });
    const closed = r.close(2000);
    await clock.advance(200);
    await closed;
    expect(created).toHaveLength(5);
    const hung = recorder();
    hung.client.create = (_, __, options?: { signal?: AbortSignal }) =>
      new Promise((_resolve, reject) =>
        options?.signal?.addEventListener('abort', () => reject(options.signal!.reason)),
      );
    hung.recorder.record(input);
    hung.recorder.record({ ...input, note: 'waits' });
    const closing = hung.recorder.close(2000);
    await hung.clock.advance(2000);
    await closing;
    expect(hung.recorder.dropped).toBe(2);
  });
});
