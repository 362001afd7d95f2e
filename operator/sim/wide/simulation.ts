/** A run of the wide border: production controllers as the program composes them, over whole API servers. */
import type { Machine } from '../machine.ts';
import type { ClusterOptions } from '../play.ts';
import { Play } from '../play.ts';
import { WideCluster } from './cluster.ts';
import { WideController } from './controller.ts';

/** A run of the wide model. */
export class WideSimulation extends Play<WideCluster, WideController> {
  protected override makeCluster(options: ClusterOptions): WideCluster {
    return new WideCluster(this.world, this.checker, options);
  }

  protected override makeController(machine: Machine, identity: string): WideController {
    const { timing, store, checker, takeover = 'bounded' } = this;
    const cluster = this.clusterOf(machine);
    const preference = this.preferenceOf(cluster);
    return new WideController({ machine, identity, timing, store, cluster, checker, takeover, preference });
  }
}
