import { describe, expect, it } from 'vitest';
import type { Tenant } from './owner.ts';
import { ownerOf } from './owner.ts';

interface Given {
  readonly claims?: readonly string[];
  readonly watches?: readonly string[];
}

const tenant = (name: string, { claims = [], watches }: Given = {}): Tenant => ({
  name,
  claims: new Set(claims),
  watches: watches && new Set(watches),
  lives: true,
});

const said = (tenants: readonly Tenant[], facts: { readonly label?: string; readonly holder?: string } = {}) => {
  const owner = ownerOf({ label: facts.label, holder: facts.holder, namespace: 'apps' }, tenants);
  return `${owner.by}: ${'tenants' in owner ? owner.tenants.join(', ') : owner.tenant}`;
};

/** Each way in which a tenant can stand to the namespace; undefined: it is not here. */
const STANDINGS: Readonly<Record<string, Given | undefined>> = {
  absent: undefined,
  idle: {},
  claims: { claims: ['apps'] },
  'watches and claims': { claims: ['apps'], watches: ['apps'] },
  'watches another': { claims: ['jobs'], watches: ['jobs'] },
};

const CASES = ['', 'team-a', 'gone'].flatMap((label) =>
  ['', 'team-b', 'gone'].flatMap((holder) =>
    Object.keys(STANDINGS).flatMap((fallback) =>
      Object.keys(STANDINGS).flatMap((first) =>
        Object.keys(STANDINGS).map((second) => ({ label, holder, fallback, first, second })),
      ),
    ),
  ),
);

/** The rules as the documents say them. */
function expected({ label, holder, fallback, first, second }: (typeof CASES)[number]): string {
  if (label !== '') return `label: ${label}`;
  if (holder !== '') return `holder: ${holder}`;
  const here = Object.entries({ default: fallback, 'team-a': first, 'team-b': second });
  const names = (standing: RegExp) => here.filter(([, each]) => standing.test(each)).map(([name]) => name);
  const claimants = names(/claims$/);
  if (claimants.length === 1) return `namespace: ${claimants[0]}`;
  if (claimants.length > 1) return `several: ${claimants.join(', ')}`;
  const seeing = names(/^idle$/);
  if (seeing.includes('default')) return 'default: default';
  return seeing.length === 1 ? `alone: ${seeing[0]}` : `nothing: ${seeing.join(', ')}`;
}

describe('whose a workload is', () => {
  it(`follows from label, holder and tenants, in all of ${CASES.length} combinations and in any order`, () => {
    for (const each of CASES) {
      const tenants = [
        ['default', each.fallback],
        ['team-a', each.first],
        ['team-b', each.second],
      ].flatMap(([name = '', standing = '']) => {
        const given = STANDINGS[standing];
        return given ? [tenant(name, given)] : [];
      });
      const answers = [tenants, tenants.toReversed()].map((order) => said(order, each));
      expect(answers, JSON.stringify(each)).toEqual([expected(each), expected(each)]);
    }
  });

  it.each([
    ['the only one', 'alone: production', [tenant('production')]],
    ['the only one that looks at it', 'alone: production', [tenant('production'), tenant('x', { watches: ['y'] })]],
    ['one by its namespace', 'namespace: team-a', [tenant('team-a', { claims: ['apps'] }), tenant('default')]],
    ['the default one', 'default: default', [tenant('production'), tenant('default')]],
    ['nobody', 'nothing: production, staging', [tenant('staging'), tenant('production')]],
    ['nobody where nobody is', 'nothing: ', []],
  ])('without a label: %s', (_sentence, expectation, tenants) => expect(said(tenants)).toBe(expectation));
});
