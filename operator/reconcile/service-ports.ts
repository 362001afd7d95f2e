/** Ports of a Kubernetes Service for the ports of a container. Pure. */
import type { ServicePort } from '../api/children.ts';
import type { CommonSpec } from '../api/workload.ts';

/** A Service wants a name for each of several ports, a container does not. */
export function servicePorts(ports: CommonSpec['ports'] = []): ServicePort[] {
  return ports.map(({ name, containerPort, servicePort = containerPort, protocol }) => ({
    name: name ?? `${protocol.toLowerCase()}-${servicePort}`,
    port: servicePort,
    targetPort: containerPort,
    protocol,
  }));
}

/** Of a Service: an empty text, such as that of `clusterIP`, leaves a field to Kubernetes. */
export function withoutEmpty(spec: Readonly<Record<string, unknown>> | undefined): object | undefined {
  return spec && Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== ''));
}
