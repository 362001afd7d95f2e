import { describe, expect, it } from 'vitest';
import { labels } from '../api/group.ts';
import type { Tenant } from './owner.ts';
import { occasionOf } from './status.ts';
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

const other = (name: string, ...claims: readonly string[]): Tenant => ({
  name,
  claims: new Set(claims),
  watches: undefined,
  lives: true,
});
const team = (more: Partial<TenancyOptions> = {}) =>
  new Tenancy({ tenant: 'team-a', watchNamespaces: ['apps'], ...more });
const fallback = (more: Partial<TenancyOptions> = {}) =>
  new Tenancy({ tenant: 'default', watchNamespaces: [], ...more });
const production = (more: Partial<TenancyOptions> = {}) =>
  new Tenancy({ tenant: 'production', watchNamespaces: [], ...more });
const taken = { others: () => [other('team-b', 'apps')] };

describe('a workload belongs to', () => {
  it.each([
    ['the tenant of its label', team(), { label: 'team-a', namespace: 'elsewhere' }, 'ours'],
    ['nobody else than that of its label', team(), { label: 'team-b' }, 'others'],
    ['the tenant of its label at once, whoever has it', team(), { label: 'team-a', holder: 'team-b' }, 'ours'],
    ['the tenant that watches its namespace', team(), {}, 'ours'],
    ['the tenant whose namespace it is', production({ ownNamespaces: ['apps'] }), {}, 'ours'],
    ['nobody who does not', team(), { namespace: 'elsewhere' }, 'others'],
    ['the default tenant without a label', fallback(), {}, 'ours'],
    ['the default tenant with an empty label', fallback(), { label: '' }, 'ours'],
    ['not the default tenant when another one watches its namespace', fallback(taken), {}, 'others'],
    ['the default tenant still when it had it before', fallback(taken), { holder: 'default' }, 'ours'],
    ['whoever has it', team(), { holder: 'default' }, 'others'],
    ['nobody when two claim it', team(taken), {}, 'disputed'],
    ['whoever had it before the other one claimed it', team(taken), { holder: 'team-a' }, 'ours'],
    ['the other one when that one had it', team(taken), { holder: 'team-b' }, 'others'],
    ['the tenant of its label, although two watch the namespace', team(taken), { label: 'team-a' }, 'ours'],
    ['the only tenant, which has to take it', production(), {}, 'claimable'],
    ['the only tenant, which has had the time to see others', production({ isSettled: () => false }), {}, 'others'],
    ['nobody where there are two tenants', production({ others: () => [other('staging')] }), {}, 'others'],
    ['the default tenant where it is one of them', production({ others: () => [other('default')] }), {}, 'others'],
    [
      'the tenant that was alone when it took it',
      production({ others: () => [other('default', 'apps')] }),
      { holder: 'production' },
      'ours',
    ],
  ] as const)('%s', (_sentence, tenancy, given, expected) => expect(tenancy.of(workload(given))).toBe(expected));
});

it('what runs is not stopped for the sake of others unless a label says so', () => {
  expect(production(taken).of(workload({}), true)).toBe('ours');
  expect(team(taken).of(workload({ holder: 'team-b' }), true)).toBe('ours');
  expect(team().of(workload({ label: 'team-b' }), true)).toBe('others');
});

it('what is no longer ours but was is still looked at', () => {
  expect(team().concerns(workload({ label: 'team-b', holder: 'team-a' }))).toBe(true);
  expect(team().concerns(workload({ label: 'team-b', holder: 'team-b' }))).toBe(false);
});

it('what is taken says by whom', () => {
  const unclaimed = workload({});
  const at = occasionOf(unclaimed, { now: 0, tenant: 'production', holder: 'p-1', term: 7 });
  const status = production().claim(unclaimed, at);
  expect(status.controller).toMatchObject({ tenant: 'production', holder: 'p-1', term: 7 });
  expect(status.conditions?.[0]?.message).toContain('Tenant production claims this workload: it has no label ');
  expect(kstatusViolations({ ...unclaimed, status })).toEqual([]);
});

it('all tenants of a dispute say the same of it', () => {
  const disputed = workload({});
  const said = (tenant: string, ...others: readonly string[]) =>
    new Tenancy({
      tenant,
      watchNamespaces: ['apps'],
      others: () => others.map((name) => other(name, 'apps')),
    }).dispute(disputed, '2030-01-01T00:00:00Z');
  const a = said('team-a', 'team-b', 'team-c');
  expect(said('team-b', 'team-a', 'team-c')).toEqual(a);
  expect(said('team-c', 'team-a', 'team-b')).toEqual(a);
  expect(a.lastError).toContain('Tenants team-a and team-b and team-c all claim namespace apps');
  expect(kstatusViolations({ ...disputed, status: a })).toEqual([]);
});
