/** Verbs about what is in the store: for the day on which the lease itself is what is wrong. */
import { repairLease, showLease, type LeaseView, type Repair } from '../admin/lease-repair.ts';
import { initStorage, withStore } from '../app/store.ts';
import { encodeRecord, standingOf } from '../leadership/lease-record.ts';
import type { Advice } from '../leadership/repair.ts';
import { parseDuration } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import { cutText, newRedactor } from '../lib/redactor.ts';
import { exitCodes } from './exit-codes.ts';
import type { Asked, Verb } from './verbs.ts';
import { UsageError } from './usage-error.ts';

/** Of a text that may be anybody's, in characters. */
const SHOWN = 2000;

/** `storage init`, `storage show` and `storage repair`. */
export const storageVerbs: Readonly<Record<string, Verb>> = {
  'storage init': {
    usage: 'storage init [--config FILE] [flags]',
    does: 'Creates the tables of the store, if it needs any.',
    act: async ({ config }, { out }) => {
      out(`${await initStorage(config())}\n`);
      return exitCodes.done;
    },
  },
  'storage show': {
    usage: 'storage show [-o json] [--config FILE] [flags]',
    does: 'Shows the lease in the store, and whether controllers can use it; exit code 1 when they cannot.',
    act: async (asked, { out }) => {
      const config = asked.config();
      const redact = newRedactor(config.secrets);
      const view = await withStore(config, (store) => showLease(store, config));
      const text = view.text === undefined ? undefined : redact(cutText(view.text, SHOWN));
      const shown = { ...view, text };
      out(asked.output === 'json' ? `${JSON.stringify(shown, undefined, 2)}\n` : redact(linesOf(shown)));
      return view.finding.is === 'broken' ? exitCodes.failed : exitCodes.done;
    },
  },
  'storage repair': {
    usage: 'storage repair [--yes] [--term N] [--cluster NAME|ID] [--drain DURATION] [--config FILE] [flags]',
    does:
      'Replaces a lease that controllers cannot use, because it is unreadable or its term is too high. Without --yes it only prints what it would write. ' +
      'The old text is printed in full. Workloads keep running; the next leader waits ttl + drain before it acts.',
    act: async (asked, { out }) => {
      const advice = adviceOf(asked);
      const isToWrite = asked.has('yes');
      const before = ({ text, record: next, ...view }: Repair) => {
        if (!next) return false;
        out(linesOf({ ...view, text: undefined }));
        out(
          `old text     ${JSON.stringify(text)}\n${isToWrite ? 'new text    ' : 'would write '} ${encodeRecord(next)}\n`,
        );
        return isToWrite;
      };
      const config = asked.config();
      const { finding, record } = await withStore(config, (store) => repairLease(store, config, advice, before));
      if (!record) return print(out, finding.is === 'absent' ? 'There is no lease yet' : 'The lease is valid');
      if (!isToWrite) return print(out, 'Nothing was written: repeat with --yes', exitCodes.failed);
      return print(out, `Repaired: the next term is ${record.term + 1} or higher`);
    },
  },
};

function print(out: (text: string) => void, line: string, code = 0): number {
  out(`${line}\n`);
  return code;
}

function adviceOf({ text }: Asked): Advice {
  const term = text('term');
  const drain = text('drain');
  if (term !== undefined && !/^\d{1,16}$/.test(term)) throw new UsageError(`--term ${term}: must be a whole number`);
  return {
    term: term === undefined ? undefined : Number(term),
    cluster: text('cluster'),
    drainMs: drain === undefined ? undefined : drainOf(drain),
  };
}

function drainOf(text: string): number {
  try {
    const ms = parseDuration(text);
    if (ms >= 0 && ms <= parseDuration('8760h')) return ms;
  } catch (error) {
    throw new UsageError(`--drain: ${messageOf(error)}`);
  }
  throw new UsageError(`--drain ${text}: must be a duration from 0s to 8760h`);
}

function linesOf({ kind, key, text, finding, peers }: LeaseView): string {
  const controllers = peers.map(({ identity, cluster }) => `${identity} in ${cluster.name} (${cluster.id})`);
  const rows = [
    ['store', kind],
    ['key', key],
    ['lease', stateOf(finding)],
    ...(text === undefined ? [] : [['text', JSON.stringify(text)]]),
    ['controllers', controllers.join(', ') || 'none known'],
  ];
  return rows.map(([name = '', value = '']) => `${name.padEnd(12)} ${value}\n`).join('');
}

function stateOf(finding: LeaseView['finding']): string {
  switch (finding.is) {
    case 'absent':
      return 'not created yet';
    case 'sound':
      return `valid: ${standingOf(finding.record)}, cluster ${finding.record.cluster.name}, scope ${finding.record.scope}`;
    case 'broken':
      return `broken: ${finding.because}`;
  }
}
