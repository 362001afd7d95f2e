/** Plays faults, one after another, and measures what the workloads had of it. */
import { Chance } from '../../../operator/sim/chance.ts';
import { readDiaries, uptimeMs } from './diaries.ts';
import { faults } from './faults.ts';
import type { Overlap } from './verdict.ts';
import { longestGap, overlapsOf, runsOf } from './verdict.ts';
import { BEAT_MS, recurring, steady } from './workloads.ts';
import { World } from './world.ts';

const MINUTE_MS = 60_000;

export interface Round {
  readonly fault: string;
  /** Longest time without an instance, of each workload that is to run all the time. Milliseconds. */
  readonly gaps: readonly number[];
  readonly overlaps: readonly Overlap[];
  /** From the end of the fault until everything ran. Milliseconds. */
  readonly recoveryMs: number;
}

export interface Result {
  readonly rounds: readonly Round[];
  /** Runs of cron jobs: how many took place once, which more than once, and which not at all. */
  readonly runs: { readonly once: number; readonly twice: readonly string[]; readonly missed: readonly string[] };
}

export interface CampaignOptions {
  /** Names of faults; each is played so often. */
  readonly chosen: readonly string[];
  readonly rounds: number;
  readonly seed: number;
  /** Where logs, events and diaries are left; default: nowhere. */
  readonly keep?: string | undefined;
  readonly say: (line: string) => void;
  readonly stopping: AbortSignal;
}

/** The part of a world that a campaign itself needs. */
export type Place = Pick<World, 'folder' | 'settled' | 'close'>;

export interface Means<W extends Place> {
  readonly open: (keep?: string) => Promise<W>;
  readonly faults: Readonly<Record<string, { play(world: W, chance: Chance): Promise<void> }>>;
}

export const REAL: Means<World> = { open: (keep) => World.open(keep), faults };

/** Resolves when all rounds have been played; rejects with what ended it before. */
export async function play(options: CampaignOptions): Promise<Result> {
  const campaign = new Campaign(options, REAL);
  await campaign.play();
  return campaign.result;
}

export class Campaign<W extends Place> {
  readonly #options: CampaignOptions;
  readonly #means: Means<W>;
  readonly #rounds: Round[] = [];
  #began: number | undefined;
  #world: W | undefined;
  /** Once the world, which has the diaries, is closed. */
  #runs: Result['runs'] | undefined;

  constructor(options: CampaignOptions, means: Means<W>) {
    this.#options = options;
    this.#means = means;
  }

  /** Of the rounds that have been played so far, however it ends. */
  get result(): Result {
    return { rounds: this.#rounds, runs: this.#runs ?? this.#runsSoFar };
  }

  async play(): Promise<void> {
    const { chosen, rounds, seed, keep, say, stopping } = this.#options;
    const unknown = chosen.find((name) => !Object.hasOwn(this.#means.faults, name));
    if (unknown !== undefined)
      throw new Error(`unknown fault "${unknown}": expected ${Object.keys(this.#means.faults).join('; ')}`);
    const world = await this.#means.open(keep);
    this.#world = world;
    try {
      await world.settled();
      this.#began = Date.now();
      for (const [index, name] of Array.from({ length: rounds }, () => chosen)
        .flat()
        .entries()) {
        if (stopping.aborted) break;
        const result = await this.#playOne(world, name, new Chance(seed + index));
        say(lineOf(result));
        this.#rounds.push(result);
      }
    } finally {
      this.#runs = this.#runsSoFar;
      await world.close();
    }
  }

  get #runsSoFar(): Result['runs'] {
    return this.#world === undefined || this.#began === undefined ? NO_RUNS : runsBetween(this.#world, this.#began);
  }

  async #playOne(world: W, name: string, chance: Chance): Promise<Round> {
    const from = uptimeMs();
    await this.#means.faults[name]?.play(world, chance);
    const healedAt = uptimeMs();
    const settledAt = await world.settled();
    const to = uptimeMs();
    const lives = readDiaries(world.folder);
    const recent = lives.filter(({ seenAt }) => seenAt >= from);
    return {
      fault: name,
      gaps: steady.map((each) => Math.max(0, longestGap(lives, each.name, { from, to }) - BEAT_MS)),
      overlaps: overlapsOf(recent),
      recoveryMs: Math.max(0, settledAt - healedAt),
    };
  }
}

const NO_RUNS: Result['runs'] = { once: 0, twice: [], missed: [] };

/** Whole minutes between then and now; the last one may still come. */
function runsBetween({ folder }: Pick<World, 'folder'>, began: number): Result['runs'] {
  const lives = readDiaries(folder);
  const first = Math.ceil(began / MINUTE_MS);
  const minutes = Array.from({ length: Math.max(0, Math.floor(Date.now() / MINUTE_MS) - first) }, (_, n) => first + n);
  const counts = recurring.flatMap(({ name }) => {
    const runs = runsOf(lives, name);
    return minutes.map((minute) => ({ run: runName(name, minute), count: runs.get(minute) ?? 0 }));
  });
  const which = (holds: (count: number) => boolean) => counts.filter(({ count }) => holds(count)).map(({ run }) => run);
  return { once: which((n) => n === 1).length, twice: which((n) => n > 1), missed: which((n) => n === 0) };
}

function runName(cronJob: string, minute: number): string {
  return `${cronJob} at ${new Date(minute * MINUTE_MS).toISOString().slice(11, 16)}`;
}

function lineOf({ fault, gaps, overlaps, recoveryMs }: Round): string {
  const gap = `longest time without an instance ${seconds(Math.max(...gaps))}`;
  const twice = overlaps.map(({ workload, lives, ms }) => `${workload} twice for ${seconds(ms)} (${lives.join(', ')})`);
  return [`${fault}: ${gap}, all run again after ${seconds(recoveryMs)}`, ...twice].join('\n  ');
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
