/** What the restricted Pod Security Standard asks of a pod, where neither the spec nor its template says otherwise. Pure. */
import type { Container, PodSpec } from '../api/kubernetes.ts';

/** Windows has no capabilities, no seccomp and no privilege escalation; the API server refuses them beside `os: windows`. */
export function withRestrictedDefaults(pod: PodSpec): PodSpec {
  const isLinux = !isWindows(pod);
  const seccomp = isLinux ? { seccompProfile: { type: 'RuntimeDefault' } } : {};
  const { containers, initContainers } = pod;
  return {
    ...pod,
    securityContext: { runAsNonRoot: true, ...seccomp, ...pod.securityContext },
    ...(isLinux && {
      containers: containers.map(restricted),
      ...(initContainers && { initContainers: initContainers.map(restricted) }),
    }),
  };
}

function restricted(container: Container): Container {
  const { securityContext: given = {} } = container;
  if (given.privileged) return container; // the API server refuses it together with less
  const { add, drop = ['ALL'] } = given.capabilities ?? {};
  const capabilities = { ...(add && { add }), drop };
  return { ...container, securityContext: { allowPrivilegeEscalation: false, ...given, capabilities } };
}

function isWindows({ os, nodeSelector }: PodSpec): boolean {
  return os?.name === 'windows' || nodeSelector?.['kubernetes.io/os'] === 'windows';
}
