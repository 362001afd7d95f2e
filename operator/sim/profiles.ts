/** What may go wrong in a run, by name. */
import type { Timing } from '../leadership/timing.ts';

/** One way to do harm. */
export type Fault =
  | 'kill'
  | 'leave'
  | 'hand over'
  | 'cut store'
  | 'cut cluster'
  | 'slow'
  | 'lossy'
  | 'late writes'
  | 'store down'
  | 'cluster down'
  | 'no hints'
  | 'watch lag'
  | 'pause'
  | 'stall'
  | 'wall jump'
  | 'freeze one clock'
  | 'freeze both clocks'
  | 'store clock'
  | 'store restart'
  | 'store flush'
  | 'store lag'
  | 'store backup'
  | 'store backup unnoticed'
  | 'spec change'
  | 'eviction'
  | 'stuck pod'
  | 'stuck node'
  | 'lost node'
  | 'refused writes'
  | 'refused kind'
  | 'edited notes'
  | 'removal'
  | 'forgotten permit'
  | 'spoilt notes'
  | 'spoilt cells'
  | 'tenant paused'
  | 'hand-over order'
  | 'priorities'
  | 'cluster dies'
  | 'confirmed';

const users: readonly Fault[] = ['spec change', 'eviction'];
const crash: readonly Fault[] = ['kill', 'leave', 'hand over', 'pause', 'watch lag'];
const network: readonly Fault[] = [
  'cut store',
  'cut cluster',
  'slow',
  'lossy',
  'late writes',
  'store down',
  'cluster down',
  'no hints',
];
const clock: readonly Fault[] = ['pause', 'stall', 'wall jump', 'freeze one clock', 'store clock'];
/** Faults by which a store loses acknowledged writes. */
export const losses: readonly Fault[] = ['store restart', 'store flush', 'store lag', 'store backup'];

/** Only where there are whole API servers. */
const hostile: readonly Fault[] = [
  'stuck pod',
  'stuck node',
  'lost node',
  'refused writes',
  'spoilt notes',
  'spoilt cells',
  'tenant paused',
];

/** Others who have rights in a cluster, and what refuses single kinds of writes there. */
const strangers: readonly Fault[] = ['refused kind', 'edited notes', 'removal', 'forgotten permit'];

/** They last several times as long as the lease. */
export const long: readonly Fault[] = ['lost node', 'refused kind', 'forgotten permit'];

/** What people ask of a tenant, rightly or wrongly, and what makes them do so. Only where there are several clusters. */
export const people: readonly Fault[] = ['hand-over order', 'priorities', 'cluster dies', 'confirmed'];

/** The faults of each profile. */
export const profiles = {
  crash: [...crash, ...users],
  network: [...network, 'leave', ...users],
  clock: [...clock, 'kill', 'leave', ...users],
  'store-loss': [...losses, 'cut store', 'kill', 'leave', 'pause', 'no hints', ...users],
  /** Losses that the store's incarnation does not show; only the canary can notice them. Not part of `everything`. */
  unnoticed: ['store backup unnoticed', 'kill', 'leave', 'cut store', ...users],
  everything: [...crash, ...network, ...clock, ...losses, 'freeze both clocks', ...users],
  /** From here on in several clusters. */
  'clusters, crash': [...crash, ...users],
  'clusters, network': [...network, 'kill', 'leave', 'hand over', ...users],
  'clusters, people': [...people, ...people, ...crash, 'cut store', 'cut cluster', 'slow', ...users],
  'clusters, everything': [...crash, ...network, ...clock, ...losses, 'freeze both clocks', ...users],
  /** From here on with whole API servers, and controllers as the program composes them. */
  'wide, crash': [...crash, ...users],
  'wide, network': [...network, 'kill', 'leave', 'hand over', ...users],
  'wide, people': [...people, ...people, ...crash, 'cut store', 'cut cluster', 'slow', ...users],
  'wide, hostile': [...hostile, 'kill', 'leave', 'hand over', 'cut store', ...users],
  /** Nodes that die, with or without the controllers, and come back. */
  'wide, nodes': ['lost node', 'kill', 'leave', 'hand over', 'cut store', ...users],
  /** Writes of one kind are refused for a while; and people with rights delete and edit what they please. */
  'wide, strangers': [...strangers, ...strangers, 'kill', 'leave', 'hand over', 'cut store', ...users],
  'wide, everything': ['lost node', ...crash, ...network, ...clock, ...losses, 'freeze both clocks', ...users],
  /** For campaigns: what is known of it is in ADR 17. */
  'wide, all together': [
    'lost node',
    ...crash,
    ...network,
    ...clock,
    ...losses,
    ...hostile,
    ...strangers,
    ...people,
    'freeze both clocks',
    ...users,
  ],
} as const satisfies Record<string, readonly Fault[]>;

/** Name of a profile. */
export type Profile = keyof typeof profiles;

const names = Object.keys(profiles) as readonly Profile[];

/** Those that each build plays. */
export const profileNames = names.filter((name) => name !== 'wide, all together');

/** Sound by `brokenTimingRule`; short ones, so that much happens in little simulated time. */
export const timings: readonly Timing[] = [
  { ttlMs: 6000, renewDeadlineMs: 4000, retryPeriodMs: 1000 },
  { ttlMs: 6000, renewDeadlineMs: 4500, retryPeriodMs: 1500 },
  { ttlMs: 9000, renewDeadlineMs: 6000, retryPeriodMs: 1000 },
  { ttlMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 },
];
