/** A run of the election core: one object per workload, which stands for a pod, and the smallest work that writes it. */
import type { ClusterOptions } from './play.ts';
import { Play } from './play.ts';
import { SimCluster } from './cluster.ts';
import { SimController } from './controller.ts';
import type { Machine } from './machine.ts';

/** A run of the narrow model. */
export class Simulation extends Play<SimCluster, SimController> {
  protected override makeCluster(options: ClusterOptions): SimCluster {
    return new SimCluster(this.world, this.checker, options);
  }

  protected override makeController(machine: Machine, identity: string): SimController {
    const { timing, store, checker, takeover, hasPeople } = this;
    const cluster = this.clusterOf(machine);
    const preference = this.preferenceOf(cluster);
    const shared = { machine, identity, timing, store, cluster, checker, preference, obeys: hasPeople };
    return new SimController({ ...shared, ...(takeover && { takeover }) });
  }
}
