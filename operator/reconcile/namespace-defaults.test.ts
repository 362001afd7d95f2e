import { expect, it } from 'vitest';
import type { ClusterClient } from '../cluster/cluster-client.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { NamespaceDefaults } from './namespace-defaults.ts';

function defaultsWith(enforced: () => string | undefined, podDefaults: 'kubernetes' | 'restricted' = 'kubernetes') {
  let [reads, now] = [0, 0];
  const get = (async () => {
    reads++;
    return { metadata: { name: 'a', labels: { 'pod-security.kubernetes.io/enforce': enforced() ?? 'baseline' } } };
  }) as unknown as ClusterClient['get'];
  const clock = { ...systemClock, monotonic: () => now };
  const defaults = new NamespaceDefaults({ client: { get }, clock, logger: silentLogger, podDefaults });
  return { defaults, reads: () => reads, pass: (ms: number) => void (now += ms) };
}

it('are those of the configuration, and restricted ones where the namespace enforces them', async () => {
  const open = defaultsWith(() => 'privileged').defaults;
  await open.load('a');
  expect(open.of('a')).toBe('kubernetes');
  const strict = defaultsWith(() => 'restricted').defaults;
  await Promise.all([strict.load('a'), strict.load('a')]);
  expect(strict.of('a')).toBe('restricted');
});

it('follow the label within a minute, without anybody who waits for it', async () => {
  let label = 'baseline';
  const { defaults, reads, pass } = defaultsWith(() => label);
  await defaults.load('a');
  label = 'restricted';
  await defaults.load('a');
  expect([defaults.of('a'), reads()]).toEqual(['kubernetes', 1]);
  pass(60_000);
  await defaults.load('a');
  await new Promise(setImmediate);
  expect([defaults.of('a'), reads()]).toEqual(['restricted', 2]);
});

it('are those of the configuration where namespaces may not be read', async () => {
  const { defaults } = defaultsWith(() => {
    throw new Error('forbidden');
  });
  await defaults.load('a');
  expect(defaults.of('a')).toBe('kubernetes');
});

it('need no look at a namespace where the configuration asks for restricted ones', async () => {
  const { defaults, reads } = defaultsWith(() => 'privileged', 'restricted');
  await defaults.load('a');
  expect([defaults.of('a'), reads()]).toEqual(['restricted', 0]);
});
