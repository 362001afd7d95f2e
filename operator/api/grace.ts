/** How long the pods of an object, or those that it makes, may take to stop. */
import { TerminalError } from '../lib/errors.ts';

interface PodPart {
  readonly containers?: readonly unknown[];
  readonly terminationGracePeriodSeconds?: number;
}

interface Template {
  readonly spec?: PodPart;
}

interface Spec extends PodPart {
  readonly template?: Template;
  readonly jobTemplate?: { readonly spec?: { readonly template?: Template } };
}

interface Stoppable {
  readonly metadata?: { readonly deletionGracePeriodSeconds?: number };
  readonly spec?: Spec;
}

/** Kubernetes' own, where a pod names none. */
const DEFAULT_SECONDS = 30;

/** Milliseconds; 0 for an object that is no pod and makes none. Whoever deletes a pod may give it longer than its spec does. */
export function podGraceMs(object: object): number {
  const { spec = {}, metadata } = object as Stoppable;
  const pod = (spec.template ?? spec.jobTemplate?.spec?.template)?.spec ?? spec;
  const own = pod.terminationGracePeriodSeconds ?? (pod.containers ? DEFAULT_SECONDS : 0);
  return Math.max(own, metadata?.deletionGracePeriodSeconds ?? 0) * 1000;
}

/**
 * Another cluster waits for as long as the slowest pod may take: one workload must not delay a whole tenant without end.
 * Throws `TerminalError` GracePeriodTooLong.
 */
export function assertGrace(object: object, maxGraceMs: number): void {
  const graceMs = podGraceMs(object);
  if (graceMs <= maxGraceMs) return;
  throw new TerminalError(
    'GracePeriodTooLong',
    `spec.terminationGracePeriod: ${graceMs / 1000} s is longer than maxGracePeriod (${maxGraceMs / 1000} s): ` +
      'shorten it, or raise maxGracePeriod in the configuration',
  );
}
