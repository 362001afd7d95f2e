/** The probes of a health check. Pure. */
import type { Container, Probe } from '../api/kubernetes.ts';
import { wholeSeconds } from '../lib/duration.ts';

/** The fields of a spec that describe the health check. */
export interface HealthCheck {
  readonly healthCheckPath?: string | undefined;
  readonly healthCheckPort?: number | undefined;
  readonly readinessTimeout?: string | number | undefined;
  readonly ports?: readonly { readonly containerPort: number }[] | undefined;
}

const DEFAULT_READINESS_SECONDS = 300;

/** Seconds within which the pods must become ready; 1 at least. */
export function readinessSeconds({ readinessTimeout = DEFAULT_READINESS_SECONDS }: HealthCheck): number {
  return Math.max(wholeSeconds(readinessTimeout), 1);
}

/**
 * A container may take its whole readiness timeout to start: only then is it checked for life, so that a slow start is no
 * reason to kill it. From then on it is out of service after 15 s, and started anew after 30 s, without an answer.
 */
export function probesOf(spec: HealthCheck): Pick<Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe'> {
  const { healthCheckPath: path, healthCheckPort, ports } = spec;
  const port = healthCheckPort ?? ports?.[0]?.containerPort;
  if (port === undefined || (path === undefined && healthCheckPort === undefined)) return {};
  const check: Probe = {
    ...(path === undefined ? { tcpSocket: { port } } : { httpGet: { path: absolute(path), port } }),
    timeoutSeconds: 5,
  };
  return {
    startupProbe: { ...check, periodSeconds: 1, failureThreshold: readinessSeconds(spec) },
    readinessProbe: { ...check, periodSeconds: 5, failureThreshold: 3 },
    livenessProbe: { ...check, periodSeconds: 10, failureThreshold: 3 },
  };
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}
