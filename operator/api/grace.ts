/** How long the pods of an object, or those that it makes, may take to stop. */

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

/** Kubernetes' own, where a pod names none. */
const DEFAULT_SECONDS = 30;

/** Milliseconds; 0 for an object that is no pod and makes none. */
export function podGraceMs(object: object): number {
  const { spec = {} } = object as { readonly spec?: Spec };
  const pod = (spec.template ?? spec.jobTemplate?.spec?.template)?.spec ?? spec;
  return (pod.terminationGracePeriodSeconds ?? (pod.containers ? DEFAULT_SECONDS : 0)) * 1000;
}
