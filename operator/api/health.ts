/** How the kinds that keep running tell whether they do their work. */
import * as z from 'zod';
import type { Rule } from './fields.ts';
import { described, duration } from './fields.ts';

/** Schema fields of the health check that becomes the main container's probes. */
export const healthFields = {
  healthCheckPath: described(
    z.string().min(1).max(1024),
    'Path of the HTTP health check of the main container: an answer of 2xx or 3xx means ready, and the container is restarted when such answers stop. ' +
      'Default: none; with healthCheckPort alone the port must accept connections. Example: /healthz',
  ).optional(),
  healthCheckPort: described(
    z.int32().min(1).max(65_535),
    'Port of the health check. Default: the first of ports. Example: 8080',
  ).optional(),
  readinessTimeout: duration(
    'How long the workload may take to become ready. After this time a container that has not passed its health check is restarted, ' +
      'and the workload is Stalled (ReadinessTimeout) until it becomes ready. A duration, or seconds. Default: 5m. Example: 90s',
  ).optional(),
};

interface Checked {
  readonly healthCheckPath?: string | undefined;
  readonly healthCheckPort?: number | undefined;
  readonly ports?: readonly unknown[] | undefined;
}

/** A health check needs a port: its own, or the first of `ports`. */
export const checkHasPort: Rule<Checked> = {
  rule: '!has(self.healthCheckPath) || has(self.healthCheckPort) || (has(self.ports) && size(self.ports) > 0)',
  message: 'healthCheckPath requires healthCheckPort or ports',
  holds: ({ healthCheckPath, healthCheckPort, ports = [] }) =>
    healthCheckPath === undefined || healthCheckPort !== undefined || ports.length > 0,
};

/** What is said of the pods of a workload that may have several. */
export const replicaStatus = {
  replicas: z.int32().min(0).meta({ description: 'Pods that exist and are not terminating.' }).optional(),
  readyReplicas: z.int32().min(0).meta({ description: 'Pods that are ready.' }).optional(),
  updatedReplicas: z.int32().min(0).meta({ description: 'Pods that match the current spec.' }).optional(),
  selector: z.string().meta({ description: 'Label selector of the pods, for autoscalers.' }).optional(),
};
