import { describe, expect, it } from 'vitest';
import { PERSISTENT_KIND } from './persistent.ts';
import type { Contender } from './service-names.ts';
import { goesFirst } from './service-names.ts';
import { SERVICE_KIND } from './service.ts';

const [EARLY, LATE] = ['2030-01-01T00:00:00Z', '2030-01-01T00:00:01Z'];

function of(kind: string, creationTimestamp: string, more: Partial<Contender> = {}): Contender {
  const spec = { ports: [{ containerPort: 80 }] };
  return { kind, metadata: { name: 'web', namespace: 'default', creationTimestamp }, spec, ...more };
}

describe('of a WorkloadService and a WorkloadPersistent of one name', () => {
  it.each([
    [EARLY, LATE, true],
    [EARLY, EARLY, true],
    [LATE, EARLY, false],
  ])('made at %s and %s, the WorkloadService has the Service: %s', (service, persistent, expected) => {
    const [a, b] = [of(SERVICE_KIND, service), of(PERSISTENT_KIND, persistent)];
    expect([goesFirst(a, b), goesFirst(b, a)]).toEqual([expected, !expected]);
  });

  it.each<[string, Contender]>([
    ['wants none', of(SERVICE_KIND, EARLY, { spec: {} })],
    ['has one already', of(SERVICE_KIND, EARLY, { status: { serviceName: 'web-service' } })],
    ['is on its way out', of(SERVICE_KIND, EARLY, { metadata: { name: 'web', deletionTimestamp: LATE } })],
    ['is a spec of nothing', of(SERVICE_KIND, EARLY, { spec: null, status: null })],
  ])('one that %s does not come first', (_sentence, other) => {
    expect(goesFirst(other, of(PERSISTENT_KIND, LATE))).toBe(false);
  });

  it('one whose Service has another name does not come first', () => {
    const other = of(PERSISTENT_KIND, EARLY, { spec: { serviceName: 'nodes' } });
    expect(goesFirst(other, of(SERVICE_KIND, LATE))).toBe(false);
  });
});
