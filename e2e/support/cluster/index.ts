/** Real clusters for tests: start and stop them and their parts, break them, and read what truly happened. */

export { killProcess, pauseProcess, resumeProcess } from './process-faults.ts';
export { startCluster, type Cluster, type ClusterOptions } from './cluster.ts';
export { recordContainers, type ContainerRecorder } from './container-recorder.ts';
export { containerTimes, overlaps, type ContainerTime, type PodFilter } from './container-times.ts';
export type { AuditEvent } from './audit.ts';
export { GiveUp, waitFor, type WaitOptions } from '../../../hack/cluster/wait.ts';
