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

interface Facts {
  readonly ready: Condition | undefined;
  readonly reconciling: Condition | undefined;
  readonly stalled: Condition | undefined;
  readonly conditions: readonly Condition[];
  readonly generation: number | undefined;
  readonly observed: number | undefined;
}

const RULES: readonly [rule: string, broken: (facts: Facts) => boolean][] = [
  ['status.observedGeneration must be set', ({ observed }) => observed === undefined],
  ['Ready must always be there', ({ ready }) => !ready],
  [
    'each type at most once',
    ({ conditions }) => new Set(conditions.map(({ type }) => type)).size !== conditions.length,
  ],
  ['not both Reconciling and Stalled', ({ reconciling, stalled }) => Boolean(reconciling && stalled)],
  [
    'remove Reconciling and Stalled rather than set them False',
    ({ reconciling, stalled }) => [reconciling, stalled].some((condition) => condition && condition.status !== 'True'),
  ],
  [
    'not Ready while Reconciling or Stalled',
    ({ ready, reconciling, stalled }) => ready?.status === 'True' && Boolean(reconciling ?? stalled),
  ],
  [
    'not Ready while observedGeneration lags behind',
    ({ ready, generation, observed }) =>
      ready?.status === 'True' && generation !== undefined && observed !== generation,
  ],
  ['Stalled means Ready=False', ({ ready, stalled }) => stalled !== undefined && ready?.status !== 'False'],
  [
    'Ready=False alone is "in progress" for ever; only what is suspended may say so',
    ({ ready, reconciling, stalled }) =>
      ready?.status !== 'True' && !reconciling && !stalled && ready?.reason !== 'Suspended',
  ],
];

/** Every rule that `subject`, a whole custom resource, breaks; empty when it is compliant. */
export function kstatusViolations({ metadata, status }: Subject): string[] {
  const conditions = status?.conditions ?? [];
  const of = (type: string) => conditions.find((condition) => condition.type === type);
  const facts: Facts = {
    ready: of('Ready'),
    reconciling: of('Reconciling'),
    stalled: of('Stalled'),
    conditions,
    generation: metadata?.generation,
    observed: status?.observedGeneration,
  };
  const general = RULES.filter(([, broken]) => broken(facts)).map(([rule]) => rule);
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
