/**
 * What the API server is asked to enforce: pods of a tenant are created only while the cluster's permit lasts, terms on
 * objects never go back, and nobody forges one. No code inside a controller can see to that: its requests may be late.
 */
import { annotations, GROUP, labels } from './group.ts';

/** Name of the ValidatingAdmissionPolicy that refuses pods of a tenant whose cluster has no valid permit. */
export const PERMIT_POLICY = 'highlander-permit';
const TERM_POLICY = 'highlander-term';

/** On a pod: it is never created. By trying, a controller learns whether the policy is enforced. */
export const PROBE_LABEL = `${GROUP}/probe`;

/** Name of the Lease that holds the permit of `tenant` in a cluster. */
export function permitName(tenant: string): string {
  return `highlander-permit-${tenant}`;
}

const API = 'admissionregistration.k8s.io/v1';
const POLICY = 'ValidatingAdmissionPolicy';
const BINDING = 'ValidatingAdmissionPolicyBinding';
const OURS = { matchExpressions: [{ key: labels.tenant, operator: 'Exists' }] };

interface Admission {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: object;
}

/** Both policies, which are for all tenants, and their bindings for this one. */
export function admission(tenant: string, permitNamespace: string): readonly Admission[] {
  return [permitPolicy, termPolicy, termBinding(tenant, permitNamespace), permitBinding(tenant, permitNamespace)];
}

const permitPolicy: Admission = {
  apiVersion: API,
  kind: POLICY,
  metadata: { name: PERMIT_POLICY },
  spec: {
    failurePolicy: 'Fail',
    paramKind: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    matchConstraints: {
      objectSelector: OURS,
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
    variables: [
      { name: 'now', expression: 'timestamp(object.metadata.creationTimestamp)' },
      {
        name: 'until',
        expression: "timestamp(params.spec.renewTime) + duration(string(params.spec.leaseDurationSeconds) + 's')",
      },
    ],
    validations: [
      {
        expression: `!('${PROBE_LABEL}' in object.metadata.labels) || object.metadata.labels['${PROBE_LABEL}'] != 'deny'`,
        message: 'a probe: this policy is enforced',
      },
      {
        expression: '!has(params.spec.renewTime) || variables.now <= variables.until',
        messageExpression:
          "'the permit of this cluster expired at ' + string(variables.until) + '; the time is ' + string(variables.now)",
      },
    ],
  },
};

function permitBinding(tenant: string, namespace: string): Admission {
  return {
    apiVersion: API,
    kind: BINDING,
    metadata: { name: permitName(tenant), labels: { [labels.tenant]: tenant } },
    spec: {
      policyName: PERMIT_POLICY,
      validationActions: ['Deny'],
      matchResources: { objectSelector: { matchLabels: { [labels.tenant]: tenant } } },
      paramRef: { name: permitName(tenant), namespace, parameterNotFoundAction: 'Deny' },
    },
  };
}

const WRITES = ['CREATE', 'UPDATE'];

const MADE = [
  { apiGroups: [''], apiVersions: ['v1'], operations: WRITES, resources: ['pods'] },
  { apiGroups: ['apps'], apiVersions: ['v1'], operations: WRITES, resources: ['deployments', 'statefulsets'] },
  { apiGroups: ['batch'], apiVersions: ['v1'], operations: WRITES, resources: ['cronjobs', 'jobs'] },
];

/** How far a stamp may be ahead of the permit: API servers hear of a new permit a moment after it was written. */
const AHEAD = 1000;

/** A leader writes its term into the permit before it stamps anything: what is ahead of that, somebody else wrote. */
const termPolicy: Admission = {
  apiVersion: API,
  kind: POLICY,
  metadata: { name: TERM_POLICY },
  spec: {
    failurePolicy: 'Fail',
    paramKind: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    matchConstraints: { objectSelector: OURS, resourceRules: MADE },
    variables: [
      { name: 'before', expression: `oldObject == null ? 0 : (${termIn('oldObject')})` },
      { name: 'after', expression: termIn('object') },
      { name: 'permitted', expression: termIn('params') },
    ],
    validations: [
      {
        expression: 'variables.after >= variables.before || variables.before > variables.permitted',
        messageExpression:
          "'term ' + string(variables.after) + ' is over: this object was written in term ' + string(variables.before)",
      },
      {
        expression: `variables.after <= variables.permitted + ${AHEAD} || variables.after == variables.before`,
        messageExpression: `'annotation ${annotations.term}: there is no term ' + string(variables.after) + ' (the last one is ' + string(variables.permitted) + '); only controllers may set it'`,
      },
    ],
  },
};

function termBinding(tenant: string, namespace: string): Admission {
  return {
    apiVersion: API,
    kind: BINDING,
    metadata: { name: `${TERM_POLICY}-${tenant}`, labels: { [labels.tenant]: tenant } },
    spec: {
      policyName: TERM_POLICY,
      validationActions: ['Deny'],
      matchResources: { objectSelector: { matchLabels: { [labels.tenant]: tenant } } },
      paramRef: { name: permitName(tenant), namespace, parameterNotFoundAction: 'Allow' },
    },
  };
}

/** 0 where there is none, or none that is a number. */
function termIn(object: string): string {
  const notes = `${object}.metadata.annotations`;
  const term = `${notes}['${annotations.term}']`;
  const isThere = `has(${notes}) && '${annotations.term}' in ${notes} && ${term}.matches('^[0-9]{1,18}$')`;
  return `${isThere} ? int(${term}) : 0`;
}
