/** A pod that Kubernetes should have made, and what is said when it may not. Pure. */
import type { PodTemplate } from '../api/kubernetes.ts';
import type { Report } from './status.ts';

/** A pod that should be there, and what makes it. */
export interface MissingPod {
  readonly makerUid: string;
  readonly name: string;
  readonly template: PodTemplate;
}

/** By a quota or an admission policy, for example. */
export function podsRefused(why: string): Report {
  const message = `Kubernetes refuses the pods: ${why}`;
  return { state: 'working', reason: 'PodsRefused', message, problem: message };
}
