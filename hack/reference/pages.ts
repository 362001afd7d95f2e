/** The pages of docs/reference/: what is public, in tables. */
import { exitCodes } from '../../operator/cli/exit-codes.ts';
import { verbs } from '../../operator/cli/verbs.ts';
import { configKeys } from '../../operator/config/keys.ts';
import { ANNOUNCED as ANNOUNCED_OF_CHILDREN } from '../../operator/reconcile/child-events.ts';
import { ANNOUNCED as ANNOUNCED_OF_PROCESSES } from '../../operator/workloads/process/events.ts';
import {
  CONDITION_REASONS,
  CONDITION_TYPES,
  EVENT_REASONS,
  EXIT_CODES,
  PASSED_ON,
  PROBLEM_CODES,
  STATES,
} from './meanings.ts';
import type { Words } from './words.ts';

export interface Page {
  /** In docs/reference/. */
  readonly name: string;
  readonly text: string;
}

const NOTE = '<!-- Generated from the code by `make reference`. Do not edit. -->';

/** Throws when a word has no meaning in `meanings.ts`, or a meaning no word. */
export function pagesOf(words: Words): readonly Page[] {
  assertComplete(words);
  return [conditions(words), events(words), logs(words), errors(words), commands()];
}

/** Which tables of `meanings.ts` are to have which keys. */
function assertComplete({ conditions: reasons, events: about, problems, passedOn }: Words): void {
  const flaws = [
    ...differences('CONDITION_REASONS', CONDITION_REASONS, new Set(reasons.map(({ reason }) => reason))),
    ...differences('STATES', STATES, new Set(reasons.map(({ state }) => state))),
    ...differences('EVENT_REASONS', EVENT_REASONS, new Set(about.map(({ reason }) => reason))),
    ...differences('PROBLEM_CODES', PROBLEM_CODES, new Set(problems.map((each) => each.code))),
    ...differences('PASSED_ON', PASSED_ON, new Set(passedOn)),
  ];
  if (flaws.length > 0) throw new Error(`hack/reference/meanings.ts does not match the code:\n${flaws.join('\n')}`);
}

function differences(
  name: string,
  meanings: Readonly<Record<string, string>>,
  found: ReadonlySet<string>,
): readonly string[] {
  const missing = [...found].filter((word) => !Object.hasOwn(meanings, word));
  const unused = Object.keys(meanings).filter((word) => !found.has(word));
  return [
    ...missing.map((word) => `  ${name}: "${word}" is in the code: add what it means`),
    ...unused.map((word) => `  ${name}: "${word}" is not in the code any more: remove it`),
  ];
}

function conditions({ conditions: found, passedOn }: Words): Page {
  const rows = grouped(found, ({ reason }) => reason).map(([reason, all]) => [
    code(reason),
    all.map(({ state }) => STATES[state] ?? state).join('; or '),
    CONDITION_REASONS[reason] ?? '',
  ]);
  return page('conditions', 'Conditions of a status', [
    'Types:',
    table(
      ['Type', 'Meaning'],
      Object.entries(CONDITION_TYPES).map(([type, meaning]) => [code(type), meaning]),
    ),
    'Reasons. All conditions of one status have the same one:',
    table(['Reason', 'Shown as', 'Meaning'], rows),
    'Beside these:',
    [...passedOn].flatMap((place) => PASSED_ON[place] || []).join('\n'),
  ]);
}

function events({ events: found }: Words): Page {
  return page('events', 'Events', [
    'Reasons of the events that controllers write. They refer to the workload, or to its pod if the workload no longer exists:',
    table(
      ['Reason', 'Type', 'Meaning'],
      found.map(({ reason, type }) => [code(reason), type, EVENT_REASONS[reason] ?? '']),
    ),
    '`{kind}` is the kind of a child: Deployment, StatefulSet, CronJob, Job or Service. Beside these, a [reason of a condition](conditions.md) that is new becomes an event:',
    [
      `- of processes: ${listed(Object.keys(ANNOUNCED_OF_PROCESSES))}`,
      `- of services, stateful sets and cron jobs: every reason that is Stalled, and ${listed([...ANNOUNCED_OF_CHILDREN])}`,
    ].join('\n'),
  ]);
}

function logs({ logs: found }: Words): Page {
  return page('logs', 'Log messages', [
    'Messages are constant; what varies is in the fields. Each line also has its time, its level and the fields of the component that wrote it:',
    table(
      ['Message', 'Level', 'Fields'],
      grouped(found, ({ message, level }) => `${level} ${message}`).map(([, [first, ...others]]) => [
        first.message,
        first.level,
        [...new Set([first, ...others].flatMap(({ fields }) => fields))].map(code).join(' '),
      ]),
    ),
  ]);
}

function errors({ problems }: Words): Page {
  const exits = Object.entries(exitCodes) as readonly (readonly [keyof typeof EXIT_CODES, number])[];
  const shown = (status: string) => (/^\d+$/.test(status) ? status : '4xx');
  return page('errors', 'Exit codes and error codes', [
    'Exit codes of the process:',
    table(
      ['Exit code', 'Meaning'],
      exits.map(([name, exit]) => [String(exit), EXIT_CODES[name]]),
    ),
    'Answers over HTTP that are errors are problem details (RFC 9457, `application/problem+json`) with a `code`:',
    table(
      ['Code', 'Status', 'Meaning'],
      grouped(problems, (each) => each.code).map(([name, all]) => [
        code(name),
        all.map(({ status, title }) => `${shown(status)} ${title}`).join(', '),
        PROBLEM_CODES[name] ?? '',
      ]),
    ),
  ]);
}

function commands(): Page {
  const settings = configKeys.map(({ path, env, flag, doc }) => [
    code(path),
    flag === undefined ? '' : code(`--${flag}`),
    env.map(code).join(' '),
    doc,
  ]);
  return page('commands', 'Commands and settings', [
    table(
      ['Command', 'What it does'],
      Object.values(verbs).map(({ usage, does }) => [code(usage), does]),
    ),
    '`[flags]` are settings. Flags override environment variables, which override the configuration file:',
    table(['Key', 'Flag', 'Environment', 'Meaning'], settings),
  ]);
}

function page(name: string, title: string, parts: readonly string[]): Page {
  return { name: `${name}.md`, text: `${NOTE}\n\n# ${title}\n\n${parts.join('\n\n')}\n` };
}

function listed(words: readonly string[]): string {
  return words.toSorted().map(code).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function grouped<T>(all: readonly T[], keyOf: (each: T) => string): readonly (readonly [string, [T, ...T[]]])[] {
  return Object.entries(Object.groupBy(all, keyOf)) as [string, [T, ...T[]]][];
}
