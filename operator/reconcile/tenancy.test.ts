import { describe, expect, it } from 'vitest';
import { labels } from '../api/group.ts';
import type { TenancyOptions } from './tenancy.ts';
import { Tenancy } from './tenancy.ts';
import { kstatusViolations } from './testing/kstatus.ts';

interface Given {
  readonly label?: string;
  readonly namespace?: string;
  /** Tenant that manages it, as its status says. */
  readonly holder?: string;
}

function workload({ label, namespace = 'apps', holder }: Given) {
  return {
    metadata: {
      name: 'web',
      namespace,
      generation: 3,
      ...(label !== undefined && { labels: { [labels.tenant]: label } }),
    },
    status: { ...(holder && { controller: { tenant: holder, holder: 'x', term: 1, observedTime: '' } }) },
  };
}

const team = (more: Partial<TenancyOptions> = {}) =>
  new Tenancy({ tenant: 'team-a', watchNamespaces: ['apps'], ...more });
const fallback = (more: Partial<TenancyOptions> = {}) =>
  new Tenancy({ tenant: 'default', watchNamespaces: [], ...more });
const taken = { claimedBy: (namespace: string) => (namespace === 'apps' ? ['team-b'] : []) };

describe('a workload belongs to', () => {
  it.each([
    ['the tenant of its label', team(), { label: 'team-a', namespace: 'elsewhere' }, 'ours'],
    ['nobody else than that of its label', team(), { label: 'team-b' }, 'others'],
    ['the tenant of its label at once, whoever has it', team(), { label: 'team-a', holder: 'team-b' }, 'ours'],
    ['the tenant that watches its namespace', team(), {}, 'ours'],
    ['nobody who does not', team(), { namespace: 'elsewhere' }, 'others'],
    ['the default tenant without a label', fallback(), {}, 'ours'],
    ['the default tenant with an empty label', fallback(), { label: '' }, 'ours'],
    ['not the default tenant when another one watches its namespace', fallback(taken), {}, 'others'],
    ['whoever has it until that one lets go', team(), { holder: 'default' }, 'others'],
    ['nobody when two claim it', team(taken), {}, 'disputed'],
    ['whoever had it before the other one claimed it', team(taken), { holder: 'team-a' }, 'ours'],
    ['the other one when that one had it', team(taken), { holder: 'team-b' }, 'others'],
    ['the tenant of its label, although two watch the namespace', team(taken), { label: 'team-a' }, 'ours'],
  ] as const)('%s', (_sentence, tenancy, given, expected) => expect(tenancy.of(workload(given))).toBe(expected));
});

it('what is no longer ours but was is still looked at', () => {
  expect(team().concerns(workload({ label: 'team-b', holder: 'team-a' }))).toBe(true);
  expect(team().concerns(workload({ label: 'team-b', holder: 'team-b' }))).toBe(false);
});

it('all tenants of a dispute say the same of it', () => {
  const disputed = workload({});
  const said = (tenant: string, ...others: readonly string[]) =>
    new Tenancy({ tenant, watchNamespaces: ['apps'], claimedBy: () => others }).dispute(
      disputed,
      '2030-01-01T00:00:00Z',
    );
  const a = said('team-a', 'team-b', 'team-c');
  expect(said('team-b', 'team-a', 'team-c')).toEqual(a);
  expect(said('team-c', 'team-a', 'team-b')).toEqual(a);
  expect(a.lastError).toContain('The tenants team-a and team-b and team-c all watch namespace apps');
  expect(kstatusViolations({ ...disputed, status: a })).toEqual([]);
});
