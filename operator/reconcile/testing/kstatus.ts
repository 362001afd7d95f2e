/** A vitest matcher that holds a status against the rules by which Flux, kubectl wait and Argo CD read it. */
import { expect } from 'vitest';
import type { Condition } from '../../api/kubernetes.ts';

interface Subject {
  readonly metadata?: { readonly generation?: number };
  readonly status?: {
    readonly observedGeneration?: number | undefined;
    readonly conditions?: readonly Condition[] | undefined;
  };
}

/** Every rule that `subject`, a whole custom resource, breaks; empty when it is compliant. */
export function kstatusViolations({ metadata, status }: Subject): string[] {
  const conditions = status?.conditions ?? [];
  const types = conditions.map(({ type }) => type);
  const of = (type: string) => conditions.find((condition) => condition.type === type);
  const [ready, reconciling, stalled] = [of('Ready'), of('Reconciling'), of('Stalled')];
  const lagging = metadata?.generation !== undefined && status?.observedGeneration !== metadata.generation;
  const rules: [broken: boolean, rule: string][] = [
    [status?.observedGeneration === undefined, 'status.observedGeneration must be set'],
    [ready === undefined, 'Ready must always be there'],
    [new Set(types).size !== types.length, 'each type at most once'],
    [reconciling !== undefined && stalled !== undefined, 'not both Reconciling and Stalled'],
    [reconciling !== undefined && reconciling.status !== 'True', 'remove Reconciling rather than set it False'],
    [stalled !== undefined && stalled.status !== 'True', 'remove Stalled rather than set it False'],
    [ready?.status === 'True' && (reconciling ?? stalled) !== undefined, 'not Ready while Reconciling or Stalled'],
    [ready?.status === 'True' && lagging, 'not Ready while observedGeneration lags behind'],
    [stalled !== undefined && ready?.status !== 'False', 'Stalled means Ready=False'],
    [
      ready?.status !== 'True' && !reconciling && !stalled && ready?.reason !== 'Suspended',
      'Ready=False alone is "in progress" for ever',
    ],
  ];
  const general = rules.filter(([broken]) => broken).map(([, rule]) => rule);
  return [...general, ...conditions.flatMap((condition) => flaws(condition, status?.observedGeneration))];
}

function flaws(condition: Condition, generation: number | undefined): string[] {
  const { type, reason, message, lastTransitionTime, observedGeneration } = condition;
  const rules: [boolean, string][] = [
    [!/^[A-Z][A-Za-z0-9]*$/.test(reason), `reason '${reason}' must be CamelCase`],
    [message === '', 'message must not be empty'],
    [!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(lastTransitionTime), 'lastTransitionTime must be RFC 3339 in seconds'],
    [observedGeneration !== generation, 'observedGeneration must be the root one'],
  ];
  return rules.filter(([broken]) => broken).map(([, rule]) => `${type}: ${rule}`);
}

expect.extend({
  toBeKstatusCompliant(received: Subject) {
    const violations = kstatusViolations(received);
    return {
      pass: violations.length === 0,
      message: () => `${violations.join('; ') || 'compliant'}\n${JSON.stringify(received.status, undefined, 2)}`,
    };
  },
});

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** Said of a whole custom resource. */
    toBeKstatusCompliant(this: Matchers<R, T>): R;
  }
}
