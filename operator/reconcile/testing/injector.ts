/** What a service mesh or an agent of a vault does to pods on their way into the cluster, as a policy of the API server itself. */

/** For all new pods of the namespaces with the label `inject=NAME`. `spec`: CEL for the part of a pod's spec that is merged into it. */
export function injector(name: string, spec: string): readonly object[] {
  const group = 'admissionregistration.k8s.io/v1';
  const policy = {
    apiVersion: group,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      matchConstraints: {
        namespaceSelector: { matchLabels: { inject: name } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      mutations: [
        { patchType: 'ApplyConfiguration', applyConfiguration: { expression: `Object{spec: Object.spec{${spec}}}` } },
      ],
    },
  };
  const binding = {
    apiVersion: group,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name },
  };
  return [policy, binding];
}
