/** Real clusters for tests: start and stop them and their parts, break them, and read what truly happened. */

export { startCluster, type Cluster } from './cluster.ts';
export { type ContainerRecorder } from './container-recorder.ts';
export { overlaps, type ContainerTime } from './container-times.ts';
export { waitFor } from '../../../hack/cluster/wait.ts';
