/** Which steps and verdicts of a workload that is made of children are worth an event, and how it reads. */
import type { ChildType } from '../api/children.ts';
import type { Step } from './child-look.ts';
import { CORRECTED, correctedNote } from './forged-marks.ts';
import type { Verdict } from './status.ts';

/** An event, without what it is about. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

const UPDATES: Readonly<Record<string, string>> = {
  SpecChanged: 'the spec has changed',
  Drifted: 'another client had changed it',
};

const REMOVALS: Readonly<Record<string, string>> = {
  NeverStarted: 'its containers never started, and the spec has changed since',
};

/** The event for a step that was carried out; undefined: it is worth none. */
export function aboutStep({ child: { type }, action }: Step, term: number): EventText | undefined {
  const normal = (reason: string, verb: string, note: string): EventText => ({
    type: 'Normal',
    reason: `${type.kind}${reason}`,
    action: verb,
    note,
  });
  switch (action.type) {
    case 'apply': {
      const { name } = action.object.metadata;
      if (!action.live) return normal('Created', 'Create', `Created ${type.kind} ${name} in term ${term}`);
      return normal('Updated', 'Update', `Updated ${type.kind} ${name}: ${UPDATES[action.reason] ?? action.reason}`);
    }
    case 'stamp':
      return aboutStamp(type, action, term);
    case 'stop':
      return normal(
        'Removed',
        'Remove',
        `Removed ${type.kind} ${action.live.metadata.name}: ${REMOVALS[action.reason] ?? action.reason}`,
      );
    case 'create':
    case 'park':
    case 'release':
    case 'purge':
      return undefined;
  }
}

function aboutStamp(
  { kind }: ChildType,
  action: Extract<Step['action'], { type: 'stamp' }>,
  term: number,
): EventText | undefined {
  const what = `${kind} ${action.live.metadata.name}`;
  switch (action.reason) {
    case 'Adopted':
      return {
        type: 'Normal',
        reason: `${kind}Adopted`,
        action: 'Adopt',
        note: `Adopted ${what} in term ${term} without changes`,
      };
    case CORRECTED:
      return { type: 'Warning', reason: CORRECTED, action: 'Correct', note: correctedNote(what, action) };
    default:
      return undefined;
  }
}

/** Reasons of verdicts that are events too when they are new, beside all that stall. */
export const ANNOUNCED: ReadonlySet<string> = new Set(['Suspended', 'ScaledToZero']);

/** For a verdict whose reason is new: everything that stalls, and what a person asked for. */
export function aboutVerdict({ state, reason, message }: Verdict): EventText | undefined {
  if (state === 'stalled') return { type: 'Warning', reason, action: 'Wait', note: message };
  return ANNOUNCED.has(reason) ? { type: 'Normal', reason, action: 'Stop', note: message } : undefined;
}
