import { describe, expect, it, onTestFinished } from 'vitest';
import type { KubeObject } from '../cluster/cluster-client.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { EventHandlers, type EventType } from './event-handlers.ts';
import { recordingLogger } from './testing/doubles.ts';

const object = (name: string, version: number): KubeObject => ({
  metadata: { name, namespace: 'a', resourceVersion: String(version), finalizers: [] },
});

function handlers() {
  const clock = new FakeClock();
  const seen: string[] = [];
  const logger = recordingLogger();
  const hooks: { call: (type: EventType, object: KubeObject) => Promise<void> } = { call: async () => {} };
  const made = new EventHandlers({
    clock,
    random: () => 1,
    logger,
    call: (type, changed) => {
      seen.push(`${type} ${changed.metadata.name}@${changed.metadata.resourceVersion}`);
      return hooks.call(type, changed);
    },
  });
  made.start();
  onTestFinished(() => made.stop());
  return { handlers: made, clock, seen, hooks, logger };
}

describe('EventHandlers', () => {
  it('runs objects beside each other, and the changes of one object as one, with the latest state', async () => {
    const all = handlers();
    const slow = Promise.withResolvers<void>();
    all.hooks.call = (_, { metadata }) => (metadata.name === 'slow' ? slow.promise : Promise.resolve());
    all.handlers.offer({ type: 'added', object: object('slow', 1) });
    await all.clock.settle();
    for (let n = 2; n < 7; n++) all.handlers.offer({ type: 'modified', object: object('slow', n) });
    all.handlers.offer({ type: 'added', object: object('other', 9) });
    await all.clock.settle();
    slow.resolve();
    await all.clock.settle();
    expect(all.seen).toEqual(['added slow@1', 'added other@9', 'modified slow@6']);
  });

  it('logs a rejection and calls again after a growing back-off, with what came meanwhile', async () => {
    const all = handlers();
    all.hooks.call = async () => {
      throw new Error('cleanup failed');
    };
    all.handlers.offer({ type: 'added', object: object('x', 1) });
    await all.clock.advance(50);
    all.hooks.call = async () => {};
    all.handlers.offer({ type: 'modified', object: object('x', 2) });
    await all.clock.advance(1000);
    expect(all.seen).toEqual(['added x@1', 'added x@1', 'added x@2']);
    expect(all.logger.lines[0]).toMatchObject({
      level: 'error',
      fields: { name: 'x', retryInMs: 50, error: 'cleanup failed' },
    });
  });

  it('tells a deletion apart from the object of the same name after it', async () => {
    const all = handlers();
    const first = Promise.withResolvers<void>();
    all.hooks.call = () => first.promise;
    all.handlers.offer({ type: 'added', object: object('x', 1) });
    await all.clock.settle();
    all.handlers.offer({ type: 'modified', object: object('x', 2) });
    all.handlers.offer({ type: 'deleted', object: object('x', 3) });
    all.handlers.offer({ type: 'added', object: object('x', 4) });
    all.handlers.offer({ type: 'modified', object: object('x', 5) });
    first.resolve();
    await all.clock.settle();
    expect(all.seen).toEqual(['added x@1', 'deleted x@3', 'added x@5']);
  });

  it('hands out copies, because handlers change what they get', async () => {
    const all = handlers();
    const cached = object('x', 1);
    all.hooks.call = async (_, given) => void given.metadata.finalizers?.push('mine');
    all.handlers.offer({ type: 'added', object: cached });
    await all.clock.settle();
    expect(cached.metadata.finalizers).toEqual([]);
  });
});
