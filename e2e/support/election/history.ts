/** What happened, on the one clock that all processes of a machine share: CLOCK_MONOTONIC, in milliseconds. */
import { appendFileSync, readFileSync } from 'node:fs';

/** Milliseconds, with a fraction; the same in every process of this machine. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What a member says of itself. */
export type MemberEvent =
  /** The store acknowledged a write that began `term`; the write was sent at `sentAt`. */
  | { readonly kind: 'acquired'; readonly term: number; readonly sentAt: number }
  /** `mayAct`: not so late that the deadline has passed already. */
  | { readonly kind: 'elected'; readonly term: number; readonly mayAct: boolean }
  /** `assertHeld` passed and a write was dispatched, both in one synchronous step that began at `from` and ended at `at`. */
  | { readonly kind: 'acted'; readonly term: number; readonly from: number }
  | { readonly kind: 'lost'; readonly term: number; readonly because: string }
  | { readonly kind: 'demoted'; readonly because: string };

/** What the run does to the members and to the store. */
export type RunEvent =
  | { readonly kind: 'started' | 'killed' | 'frozen' | 'thawed' | 'leaving' | 'ended' }
  | { readonly kind: 'fault' | 'healed'; readonly what: string };

/** What the stand-in for the API server accepted. */
export interface AcceptedEvent {
  readonly kind: 'accepted';
  readonly object: string;
  readonly version: number;
  readonly term: number;
}

export type Event = { readonly at: number; readonly wall: number; readonly by: string } & (
  | MemberEvent
  | RunEvent
  | AcceptedEvent
);

type Bare = MemberEvent | RunEvent | AcceptedEvent;

/** Of one process. */
export interface Journal {
  /** In the file before it returns: what a process wrote survives its end by SIGKILL. */
  write(event: MemberEvent): void;
}

export function journalIn(file: string, by: string): Journal {
  return { write: (event) => appendFileSync(file, `${JSON.stringify(stamped(by, event))}\n`) };
}

export function stamped(by: string, event: Bare): Event {
  return { at: now(), wall: Date.now(), by, ...event };
}

/** Of a process that was killed the last line may be half written. */
export function readJournal(file: string): readonly Event[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Event);
}

/** For people; what happens many times a second is left out unless `every`. */
export function tell(events: readonly Event[], since: number, every = false): string {
  return events
    .filter(({ kind }) => every || (kind !== 'acted' && kind !== 'accepted'))
    .map(({ at, wall: _, by, kind, ...rest }) => {
      const told = Object.values(rest).map((value) => (typeof value === 'number' ? Math.round(value) : value));
      return `${((at - since) / 1000).toFixed(3).padStart(9)} ${by.padEnd(14)} ${kind} ${told.join(' ')}`.trimEnd();
    })
    .join('\n');
}
