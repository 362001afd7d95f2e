/** What the status of a workload says on which nobody acts. Pure. */
import { labels } from '../api/group.ts';
import type { Condition } from '../api/kubernetes.ts';
import type { Owner, Tenant } from './owner.ts';
import { watchesNamespace } from './owner.ts';
import type { Child } from './plan.ts';
import type { CommonStatus } from './status.ts';
import { conditionsOf } from './status.ts';

/** Type of the condition; its reasons are those of `Neglect`. */
const UNCLAIMED = 'Unclaimed';

/** Unclaimed: nothing says whose it is. TenantNotHere: its tenant has no controller here. */
export interface Neglect {
  readonly reason: 'Unclaimed' | 'TenantNotHere';
  readonly message: string;
  /** Whose it is. */
  readonly tenant?: string;
}

/** Undefined: somebody acts on it, or says himself why not. `tenants`: those that have controllers in this cluster. */
export function neglectOf(owner: Owner, namespace: string, tenants: readonly Tenant[]): Neglect | undefined {
  const acting = tenants.filter((each) => each.lives && watchesNamespace(each, namespace)).map(({ name }) => name);
  if (owner.by === 'nothing') return { reason: 'Unclaimed', message: ambiguity(owner.tenants, namespace) };
  const owners = 'tenants' in owner ? owner.tenants : [owner.tenant];
  if (owners.some((name) => acting.includes(name))) return undefined;
  const whose = { ...WHOSE, label: `by its label ${labels.tenant}`, several: 'they claim its namespace' }[owner.by];
  const message =
    `This workload is not managed. It belongs to tenant ${owners.join(' or ')} (${whose}), which has no controller in this ` +
    `cluster that watches namespace ${namespace}; ${listed(acting)}. Start a controller for that tenant, or set the label ` +
    `${labels.tenant} to the tenant that should run it`;
  return { reason: 'TenantNotHere', message, ...('tenant' in owner && { tenant: owner.tenant }) };
}

const WHOSE = {
  holder: 'by its status.controller',
  namespace: 'it claims the namespace',
  default: 'as no other tenant claims the namespace',
  alone: 'the only tenant',
};

function ambiguity(tenants: readonly string[], namespace: string): string {
  return (
    `This workload is not managed: its tenant is unknown; ${listed(tenants)}. Set the label ${labels.tenant} to one of ` +
    `them, or configure namespace ${namespace} (watchNamespaces, namespace) for one of them`
  );
}

function listed(tenants: readonly string[]): string {
  return `tenants with a controller here: ${tenants.toSorted().join(', ') || 'none'}`;
}

interface Workload extends Child {
  status?: CommonStatus;
}

/** What its tenant has to know again, when it comes back, is left as it is. `now`: RFC 3339. */
export function neglectedStatus({ metadata, status }: Workload, neglect: Neglect, now: string): CommonStatus {
  const { generation = 0 } = metadata;
  const before = status?.conditions ?? [];
  const { reason, message } = neglect;
  const verdict = { state: 'stalled', reason, message, problem: message } as const;
  const conditions = conditionsOf(verdict, { generation, now }, before);
  const since = before.find(({ type }) => type === UNCLAIMED)?.lastTransitionTime ?? now;
  const unclaimed = conditions
    .slice(-1)
    .map((each): Condition => ({ ...each, type: UNCLAIMED, lastTransitionTime: since }));
  const { active = false, healthy = false, lastTransition = now } = status ?? {};
  return {
    ...status,
    observedGeneration: generation,
    conditions: [...conditions, ...unclaimed],
    active,
    healthy,
    lastTransition,
    lastError: message,
  };
}

/** Whether somebody has said something else since: then somebody acts on it who cannot be seen from here. */
export function isContradicted({ status }: Workload, message: string): boolean {
  const conditions = status?.conditions ?? [];
  return conditions.length > 0 && !conditions.some((each) => each.type === UNCLAIMED && each.message === message);
}
