/** Who else is there, by records in the store. The own one is a canary: when it is gone or too old, writes were lost. */
import type { Call, CellStore, ListedCell, Version } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { ParkingReport } from './activation.ts';
import { CONFIRMATION_MS } from './confirmation.ts';
import type { ClusterRef } from './lease-record.ts';
import { Neighbours } from './neighbours.ts';
import { encodePresence, FORGOTTEN_MS, readPresence, type PresenceRecord } from './presence-record.ts';
import { RecordAges } from './record-ages.ts';

/** Another controller of the tenant. */
export interface Peer extends PresenceRecord {
  /** Milliseconds since its last sign of life, by the store's clock or, if that is more, by that of whoever has looked. */
  readonly ageMs: number;
}

/** Who announces itself, where and how often. */
export interface PresenceOptions {
  readonly tenant: string;
  readonly identity: string;
  readonly cluster: ClusterRef;
  readonly store: CellStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds between two rewrites. */
  readonly periodMs: number;
  readonly highestStamp: () => number;
  readonly mayLead: () => boolean;
  readonly priority?: number;
  readonly isPaused?: () => boolean;
  /** Namespaces that the tenant claims; none unless told. */
  readonly claims?: readonly string[];
  /** The only namespaces that this controller looks at; all unless told. */
  readonly watches?: readonly string[] | undefined;
  /** Other tenants of this cluster, or what they claim, have changed, or can be counted on from now on. */
  readonly onNeighbours?: () => void;
  /** The store has lost writes. */
  readonly onLoss: () => void;
}

/** Of a key in a log message, characters. */
const MAX_KEY = 200;

/** All controllers of a tenant. Throws what the store throws. */
export async function readPeers(store: CellStore, tenant: string, call: Call): Promise<readonly Peer[]> {
  return peersIn(await store.list(cellKeys.presencePrefix(tenant), call), tenant);
}

/** The same, of cells that were read. */
export function peersIn(cells: readonly ListedCell[], tenant: string): readonly Peer[] {
  return cells.flatMap((cell) => peerIn(cell, tenant) ?? []);
}

/** Undefined when the cell holds anything but the record of the controller that it is named after. */
function peerIn({ key, value, ageMs }: ListedCell, tenant: string): Peer | undefined {
  const record = readPresence(value);
  return record && key === cellKeys.presence(tenant, record.identity) ? { ...record, ageMs } : undefined;
}

/** Whether a controller would take the lease now. */
export function isStandby({ mayLead = true, leaving = false, ageMs }: Peer, ttlMs: number): boolean {
  return mayLead && !leaving && ageMs < ttlMs;
}

/** Announces this controller, and knows the others. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #key: string;
  #beat = 0;
  #version: Version | undefined;
  /** The beat of the last acknowledged rewrite; 0: none yet. */
  #acknowledged = 0;
  #placedAt: number | undefined;
  /** Looks are numbered as they are asked for; the latest one that was answered counts. */
  #asked = 0;
  #answered = 0;
  /** As others were last told. */
  #saidMayLead: boolean | undefined;
  #leaving = false;
  #report: ParkingReport | undefined;
  /** Rewrites follow each other: each knows the version that the one before it wrote. */
  #rewriting: Promise<void> = Promise.resolve();
  #peers: readonly Peer[] = [];
  readonly #neighbours: Neighbours;
  readonly #ages = new RecordAges();
  #unreadable: ReadonlySet<string> = new Set();
  readonly #stopping = new AbortController();

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#key = cellKeys.presence(options.tenant, options.identity);
    this.#neighbours = new Neighbours(options.tenant, options.cluster.id);
  }

  /** As of the last look, this controller included. */
  get peers(): readonly Peer[] {
    return this.#peers;
  }

  /** Controllers of this cluster and their tenants, as of the last look. */
  get neighbours(): Pick<Neighbours, 'controllers' | 'others' | 'isSettled'> {
    return this.#neighbours;
  }

  /** Since when a loss would show: the first acknowledged rewrite after the last one, on the monotonic clock. */
  get placedAt(): number | undefined {
    return this.#placedAt;
  }

  /** The first look; resolves when it succeeded, or `stopping` is aborted. */
  async join(stopping: AbortSignal): Promise<void> {
    const { clock, logger, periodMs } = this.#options;
    while (!stopping.aborted) {
      try {
        return await this.look(this.#call());
      } catch (error) {
        logger.warn('The store did not answer', { error: messageOf(error) });
      }
      await clock.sleep(periodMs / 5, stopping).catch(() => {});
    }
  }

  /** Rewrites and looks around until `stop`, then removes the own record. */
  async run(): Promise<void> {
    const { logger } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.announce();
        await this.look(this.#call());
      } catch (error) {
        logger.warn('Failed to renew the presence record', { error: messageOf(error) });
      }
      await this.#rest();
    }
    await this.#withdraw();
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Until the next rewrite; it comes soon when others take this controller for a standby that it is not, or the reverse. */
  async #rest(): Promise<void> {
    const { clock, periodMs, mayLead } = this.#options;
    const { signal } = this.#stopping;
    const end = clock.monotonic() + periodMs;
    for (let left = periodMs; left > 0 && !signal.aborted; left = end - clock.monotonic()) {
      if (this.#saidMayLead !== undefined && mayLead() !== this.#saidMayLead) return;
      await clock.sleep(Math.min(left, periodMs / 5), signal).catch(() => {});
    }
  }

  /** From the next rewrite on, everybody knows that this controller takes nothing over any more. */
  setLeaving(): void {
    this.#leaving = true;
  }

  /** As was set last. */
  get report(): ParkingReport | undefined {
    return this.#report;
  }

  /** What is said from the next rewrite on; `undefined`: the permit is good, or nobody has looked. */
  setReport(report: ParkingReport | undefined): void {
    this.#report = report;
  }

  /** Rewrites the own record now. */
  announce(): Promise<void> {
    this.#rewriting = this.#rewriting.catch(() => {}).then(() => this.#rewrite());
    return this.#rewriting;
  }

  /** Whether the own record is there and no older than acknowledged. */
  async isWell(call: Call): Promise<boolean> {
    // As of now: the record may be rewritten while the answer is on its way.
    const acknowledged = this.#acknowledged;
    if (acknowledged === 0) return true;
    const { cell } = await this.#options.store.read(this.#key, call);
    return cell !== undefined && beatOf(cell.value) >= acknowledged;
  }

  #call(): Call {
    return { timeoutMs: this.#options.periodMs };
  }

  async #rewrite(): Promise<void> {
    const { store, clock } = this.#options;
    this.#beat += 1;
    const record = this.#record();
    const reply = await store.write(this.#key, encodePresence(record), this.#version, this.#call());
    if (reply.ok) {
      this.#saidMayLead = record.mayLead;
      this.#version = reply.version;
      this.#acknowledged = this.#beat;
      this.#placedAt ??= clock.monotonic();
      return;
    }
    if (!(await this.#resolveConflict())) await this.#rewrite();
  }

  #record(): PresenceRecord {
    const { identity, cluster, highestStamp, mayLead, isPaused, priority = 0, claims = [], watches } = this.#options;
    return {
      identity,
      cluster,
      highestStamp: highestStamp(),
      beat: this.#beat,
      mayLead: mayLead(),
      ...(priority > 0 && { priority }),
      ...(claims.length > 0 && { claims }),
      ...(watches && { watches }),
      ...(isPaused?.() && { paused: true }),
      ...(this.#leaving && { leaving: true }),
      ...(this.#report && { report: this.#report }),
    };
  }

  /** Nobody else writes this record: either a reply of ours was lost (true), or the store went back. */
  async #resolveConflict(): Promise<boolean> {
    const { store, onLoss } = this.#options;
    const { cell } = await store.read(this.#key, this.#call());
    const well = cell !== undefined && beatOf(cell.value) >= this.#acknowledged;
    this.#version = cell?.version;
    if (well) return true;
    this.#acknowledged = 0;
    this.#placedAt = undefined;
    this.#neighbours.unsettle();
    onLoss();
    return false;
  }

  /** Lists everybody afresh: resolves when what is known is no older than this call. */
  async look(call: Call): Promise<void> {
    const { store, tenant, clock, periodMs } = this.#options;
    const number = ++this.#asked;
    const askedAt = clock.monotonic();
    const isLate = this.#placedAt !== undefined && askedAt - this.#placedAt >= periodMs;
    const all = await store.list(cellKeys.presences, call);
    if (number < this.#answered) return;
    this.#answered = number;
    const cells = all.filter(({ key }) => key.startsWith(cellKeys.presencePrefix(tenant)));
    this.#noteNeighbours(all, isLate);
    const [peers, unreadable]: [Peer[], string[]] = [[], []];
    for (const cell of this.#ages.aged(cells, { askedAt, now: clock.monotonic() })) {
      const peer = peerIn(cell, tenant);
      const limitMs = peer?.report?.byPerson === true ? CONFIRMATION_MS : FORGOTTEN_MS;
      if (this.#isForgotten(cell, limitMs)) await store.remove(cell.key, cell.version, call);
      else if (peer) peers.push(peer);
      else unreadable.push(cell.key);
    }
    this.#peers = peers;
    this.#skipped(unreadable);
  }

  /** Each once, for as long as it stays there. */
  #skipped(keys: readonly string[]): void {
    for (const key of keys)
      if (!this.#unreadable.has(key))
        this.#options.logger.warn('Skipped an unreadable presence record: is another application using this key?', {
          key: key.slice(0, MAX_KEY),
        });
    this.#unreadable = new Set(keys);
  }

  /** `isLate`: who was there when this controller came has been heard, and has had the time to hear of it. */
  #noteNeighbours(all: readonly ListedCell[], isLate: boolean): void {
    const { clock, logger, onNeighbours } = this.#options;
    const changed = this.#neighbours.note(all, clock.monotonic());
    if (changed) {
      const tenants = this.#neighbours.others.map(({ name, claims }) => ({ name, claims: [...claims] }));
      logger.info('The other tenants of this cluster or their namespaces changed', { tenants });
    }
    const settles = isLate && this.#neighbours.settle();
    if (changed || settles) onNeighbours?.();
  }

  /** By the store's clock and by ours: one that jumped must not cost a living controller its record. */
  #isForgotten({ key, ageMs }: ListedCell, limitMs: number): boolean {
    const seenMs = this.#options.clock.monotonic() - this.#ages.since(key);
    return key !== this.#key && ageMs > limitMs && seenMs > limitMs;
  }

  async #withdraw(): Promise<void> {
    if (this.#version === undefined) return;
    try {
      await this.#options.store.remove(this.#key, this.#version, this.#call());
    } catch (error) {
      this.#options.logger.debug('Failed to remove the presence record', { error: messageOf(error) });
    }
  }
}

/** -1 where somebody has written something else over it: the record is lost. */
function beatOf(text: string): number {
  return readPresence(text)?.beat ?? -1;
}
