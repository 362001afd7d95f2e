/** The names of a workload's Services where others want the same ones. Pure. */
import type { Service } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { GROUP } from '../api/group.ts';
import type { Claim } from './child.ts';
import { controllerOf } from './metadata.ts';
import type { Child } from './plan.ts';

/** `workload`: one of this product's. `stranger`: anything else. */
export type ServiceHolder = 'nobody' | 'workload' | 'stranger';

/** Of a Service that is not ours. */
export function holderOf(service: Child): ServiceHolder {
  return controllerOf(service)?.apiVersion.split('/')[0] === GROUP ? 'workload' : 'stranger';
}

/** Which name is wanted, and which one is taken instead. */
export interface NameChoice {
  readonly name: string;
  /** Taken where somebody else has `name`. */
  readonly otherwise: string;
  /** Whose Services are given way to; those of others are reported as a conflict. */
  readonly yieldsTo: readonly ServiceHolder[];
}

/** What it has, it keeps: pods and clients go by it. */
export function serviceName({ live, holderOf: holder }: Claim, { name, otherwise, yieldsTo }: NameChoice): string {
  for (const each of [name, otherwise]) if (live.get<Service>(childTypes.services, each)) return each;
  return yieldsTo.includes(holder?.(name) ?? 'nobody') ? otherwise : name;
}
