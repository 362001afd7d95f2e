/** What a service mesh or an agent of a vault does to pods on their way into the cluster, as a policy of the API server itself. */

/** `spec`: CEL for the part of a pod's spec that is merged into it; without lists of plain values, which only a patch can add. */
export function merging(spec: string): object {
  return { patchType: 'ApplyConfiguration', applyConfiguration: { expression: `Object{spec: Object.spec{${spec}}}` } };
}

/** `value`: CEL for what is added at this path, as RFC 6902 has it. */
export function adding(path: string, value: string): object {
  const expression = `[JSONPatch{op: "add", path: ${JSON.stringify(path)}, value: ${value}}]`;
  return { patchType: 'JSONPatch', jsonPatch: { expression } };
}

/** For all new pods of the namespaces with the label `inject=NAME`. */
export function injector(name: string, mutation: object): readonly object[] {
  const group = 'admissionregistration.k8s.io/v1';
  const policy = {
    apiVersion: group,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        namespaceSelector: { matchLabels: { inject: name } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      mutations: [mutation],
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
