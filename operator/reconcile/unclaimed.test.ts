import { describe, expect, it } from 'vitest';
import type { CommonStatus } from './status.ts';
import type { Owner, Tenant } from './owner.ts';
import { kstatusViolations } from './testing/kstatus.ts';
import { isContradicted, neglectedStatus, neglectOf } from './unclaimed.ts';

const NOW = '2030-01-01T00:00:00Z';

const tenant = (name: string, { lives = true, watches }: { lives?: boolean; watches?: readonly string[] } = {}) =>
  ({ name, lives, claims: new Set(), watches: watches && new Set(watches) }) as Tenant;

const said = (owner: Owner, ...tenants: readonly Tenant[]) => neglectOf(owner, 'apps', tenants)?.message;

describe('of a workload', () => {
  it.each([
    ['whose tenant is here, nothing is said', { by: 'label', tenant: 'a' }, [tenant('a')], 'nothing'],
    [
      'that one of several claimants reports, nothing',
      { by: 'several', tenants: ['a', 'b'] },
      [tenant('b')],
      'nothing',
    ],
    [
      'of two possible tenants, both are named',
      { by: 'nothing', tenants: ['a', 'b'] },
      [],
      'with a controller here: a, b. Set the',
    ],
    [
      'whose tenant has died',
      { by: 'namespace', tenant: 'a' },
      [tenant('a', { lives: false }), tenant('b')],
      'with a controller here: b',
    ],
    [
      'whose tenant looks elsewhere',
      { by: 'label', tenant: 'a' },
      [tenant('a', { watches: ['jobs'] }), tenant('b')],
      'tenant a (by its label highlander.plexobject.io/tenant), which has no controller in this cluster that watches namespace apps',
    ],
    [
      'whose claimants have all died',
      { by: 'several', tenants: ['a', 'b'] },
      [tenant('c')],
      'belongs to tenant a or b',
    ],
    ['of the default tenant that has died', { by: 'default', tenant: 'default' }, [tenant('c')], 'to tenant default'],
  ] as const)('%s', (_sentence, owner, tenants, expected) => {
    const message = said(owner, ...tenants);
    expect(message ?? 'nothing').toContain(expected);
  });
});

describe('its status', () => {
  const neglect = { reason: 'TenantNotHere', message: 'This workload is not managed' } as const;
  const running: CommonStatus & { restarts: number } = {
    observedGeneration: 2,
    conditions: [
      { type: 'Ready', status: 'True', observedGeneration: 2, lastTransitionTime: NOW, reason: 'R', message: 'm' },
    ],
    active: true,
    healthy: true,
    restarts: 3,
    controller: { tenant: 'a', holder: 'a-1', term: 7, observedTime: NOW },
  };
  const workload = (status: CommonStatus) => ({ metadata: { name: 'web', namespace: 'apps', generation: 3 }, status });

  it('is read by other tools as failed, and keeps what was known', () => {
    const next = neglectedStatus(workload(running), neglect, '2030-01-01T00:01:00Z');
    expect(next).toMatchObject({
      restarts: 3,
      active: true,
      controller: { tenant: 'a' },
      lastError: 'This workload is not managed',
    });
    expect(next.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
      'Ready=False',
      'Stalled=True',
      'Unclaimed=True',
    ]);
    expect(kstatusViolations(workload(next))).toEqual([]);
    expect(neglectedStatus(workload(next), neglect, '2030-01-01T00:02:00Z')).toEqual(next);
  });

  it('is contradicted by whoever writes another, not by its loss', () => {
    const next = neglectedStatus(workload({}), neglect, NOW);
    expect([running, next, {}].map((status) => isContradicted(workload(status), neglect.message))).toEqual([
      true,
      false,
      false,
    ]);
  });
});
