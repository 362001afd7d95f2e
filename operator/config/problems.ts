/** What is wrong with a configuration, all of it at once, in words that say what to write instead. */
import { MASK, maskCredentials } from '../lib/credentials.ts';
import { editDistance } from '../lib/edit-distance.ts';
import type { Redact } from '../lib/redactor.ts';
import { isSecret, knownPaths } from './keys.ts';
import { isAddress, passwordSpan } from './secrets.ts';

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** Dotted path of the setting; the file's name for a file that cannot be read. */
  readonly path: string;
  /** Where the value came from; absent when it came from nowhere. */
  readonly where?: string;
  /** The offending value as shown to people: secrets are masked, unknown keys show none. */
  readonly shown?: string;
  /** What the value must be and how to mend it. */
  readonly fix: string;
}

/** The configuration cannot be used; its message has a line for each problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(`The configuration is invalid:\n${problems.map((problem) => `  ${describeProblem(problem)}`).join('\n')}`);
    this.problems = problems;
  }
}

/** A problem in one line. */
export function describeProblem({ path, where, shown, fix }: Problem): string {
  const subject = shown === undefined ? path : `${path}: ${shown}`;
  return `${subject}${where === undefined ? '' : ` (${where})`} ${fix}`;
}

/** A value for people, short, without its secrets; of maps and lists only that they are some. */
export function showValue(path: string, value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a map';
  const text = String(value);
  if (isSecret(path) || text.includes('-----BEGIN')) return MASK;
  return typeof value === 'string'
    ? `"${maskCredentials(isAddress(path) ? withoutPassword(text) : text).slice(0, 80)}"`
    : text;
}

function withoutPassword(address: string): string {
  const [from, to] = passwordSpan(address);
  return to === 0 ? address : `${address.slice(0, from)}${MASK}${address.slice(to)}`;
}

/** The same without what is secret elsewhere in the configuration. */
export function redacted({ shown, fix, ...rest }: Problem, redact: Redact): Problem {
  return { ...rest, fix: redact(fix), ...(shown === undefined ? {} : { shown: redact(shown) }) };
}

/** Says which known key was probably meant: a misspelling, another case, or the same name in another section. */
export function suggestKey(path: readonly string[]): string {
  const wanted = path.join('.');
  const known = knownPaths;
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(wanted.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, Math.floor(candidate.length / 5)))
    .toSorted((a, b) => a.distance - b.distance)[0]?.candidate;
  const name = path.at(-1)?.toLowerCase();
  const elsewhere = known.find((candidate) => candidate.split('.').at(-1)?.toLowerCase() === name);
  const meant = near ?? elsewhere;
  if (meant !== undefined) return `is not a known key; did you mean "${meant}"?`;
  const section = path.slice(0, -1).join('.');
  const here = namesIn(section, known);
  return `is not a known key; known keys ${section === '' ? 'at the top level' : `in "${section}"`}: ${here.join(', ')}`;
}

function namesIn(section: string, known: readonly string[]): readonly string[] {
  const prefix = section === '' ? '' : `${section}.`;
  const below = known
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice(prefix.length).split('.')[0] ?? '');
  return [...new Set(below)];
}
