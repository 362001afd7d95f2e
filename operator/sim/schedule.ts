/** A named course of events. */
import type { Timing } from '../leadership/timing.ts';
import type { SimulationOptions } from './play.ts';
import type { Simulation } from './simulation.ts';

/** What happens, and what must be in place for it. */
export interface Schedule {
  readonly what: string;
  readonly timing?: Timing;
  /** Machines belong to the clusters in turns, and start one second after each other. */
  readonly place?: Pick<
    SimulationOptions,
    'clusters' | 'machines' | 'takeover' | 'graceMs' | 'catchUp' | 'clocksAgree'
  >;
  readonly play: (sim: Simulation) => Promise<void>;
}
