/** Which steps and verdicts are worth an event, and how it reads. */
import type { Pod } from '../../api/kubernetes.ts';
import type { EventText } from '../../reconcile/child-events.ts';
import { CORRECTED, correctedNote } from '../../reconcile/forged-marks.ts';
import type { Action } from '../../reconcile/plan.ts';
import type { Verdict } from '../../reconcile/status.ts';

/** The event for an action that was carried out; undefined: it is worth none. */
export function aboutAction(action: Action<Pod>, term: number): EventText | undefined {
  switch (action.type) {
    case 'create':
      return {
        type: 'Normal',
        reason: 'PodCreated',
        action: 'Create',
        note: `Created pod ${action.object.metadata.name} in term ${term}`,
      };
    case 'stamp':
      if (action.reason === CORRECTED) return corrected(action);
      if (action.reason !== 'Adopted') return undefined;
      return {
        type: 'Normal',
        reason: 'PodAdopted',
        action: 'Adopt',
        note: `Adopted pod ${action.live.metadata.name} in term ${term} without a restart`,
      };
    case 'stop':
      return aboutStop(action.live.metadata.name, action.reason);
    case 'purge':
      return {
        type: 'Warning',
        reason: 'PodPurged',
        action: 'Purge',
        note: `Removed pod ${action.live.metadata.name} after a person confirmed that it has stopped`,
      };
    case 'apply':
    case 'park':
    case 'release':
      return undefined;
  }
}

function corrected(action: Extract<Action<Pod>, { type: 'stamp' }>): EventText {
  const note = correctedNote(`Pod ${action.live.metadata.name}`, action);
  return { type: 'Warning', reason: CORRECTED, action: 'Correct', note };
}

const STOPS: Readonly<Record<string, string>> = {
  SpecChanged: 'the spec has changed',
  Interrupted: 'it was interrupted',
  Ended: 'the process ended',
};
const OUTLIVED = 'the process has ended; only injected containers were still running';

function aboutStop(name: string, reason: string): EventText {
  const because = STOPS[reason];
  if (!because) {
    const why = reason === 'Outlived' ? OUTLIVED : reason;
    return { type: 'Normal', reason: 'PodStopped', action: 'Stop', note: `Stopped pod ${name}: ${why}` };
  }
  return {
    type: 'Normal',
    reason: 'PodReplaced',
    action: 'Replace',
    note: `Stopped pod ${name}: ${because}; the next one starts afterwards`,
  };
}

/** Reasons of verdicts that are events too, when they are new. */
export const ANNOUNCED: Readonly<Record<string, EventText['type']>> = {
  Completed: 'Normal',
  ScaledToZero: 'Normal',
  Suspended: 'Normal',
  Conflict: 'Warning',
  CrashLoopBackOff: 'Warning',
  InvalidSpec: 'Warning',
  MaxRestartsExceeded: 'Warning',
  PodInvalid: 'Warning',
  PodRefused: 'Warning',
  ProcessFailed: 'Warning',
  WaitingForNode: 'Warning',
};

/** For a verdict whose reason is new. */
export function aboutVerdict({ reason, message, state }: Verdict): EventText | undefined {
  const type = ANNOUNCED[reason];
  const action = state === 'stalled' || state === 'done' ? 'Stop' : 'Wait';
  return type && { type, reason, action, note: message };
}
