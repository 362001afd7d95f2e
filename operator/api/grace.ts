/** How long the pods of an object, or those that it makes, may take to stop. */

interface PodPart {
  readonly terminationGracePeriodSeconds?: number;
}

interface Template {
  readonly spec?: PodPart;
}

interface Spec extends PodPart {
  readonly template?: Template;
  readonly jobTemplate?: { readonly spec?: { readonly template?: Template } };
}

/** Milliseconds; 0 when the object names no grace. */
export function podGraceMs(object: object): number {
  const { spec = {} } = object as { readonly spec?: Spec };
  const { terminationGracePeriodSeconds, template, jobTemplate } = spec;
  const made = (template ?? jobTemplate?.spec?.template)?.spec;
  return (terminationGracePeriodSeconds ?? made?.terminationGracePeriodSeconds ?? 0) * 1000;
}
