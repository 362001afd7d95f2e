/** The words by which this product speaks to programs and people, read out of its source by the compiler. */
import type { Node, ObjectLiteralExpression } from 'typescript/unstable/ast';
import {
  isCallExpression,
  isIdentifier,
  isNewExpression,
  isObjectLiteralExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isShorthandPropertyAssignment,
} from 'typescript/unstable/ast';
import type { Checker } from 'typescript/unstable/sync';
import type { Program } from '../source/program.ts';
import { textsOf } from '../source/texts.ts';

/** A reason of the condition Ready, and the states with which it goes. */
export interface ConditionReason {
  readonly reason: string;
  readonly state: string;
}

export interface EventReason {
  readonly reason: string;
  readonly type: string;
}

export interface LogMessage {
  readonly message: string;
  readonly level: string;
  readonly fields: readonly string[];
}

/** RFC 9457. */
export interface ProblemCode {
  readonly code: string;
  readonly status: string;
  readonly title: string;
}

export interface Words {
  readonly conditions: readonly ConditionReason[];
  readonly events: readonly EventReason[];
  readonly logs: readonly LogMessage[];
  readonly problems: readonly ProblemCode[];
  /** Where a reason is passed on from elsewhere: `file.ts: expression`, in the order of the source. */
  readonly passedOn: readonly string[];
}

type Part = 'conditions' | 'events' | 'logs' | 'problems';
type Found = { -readonly [K in Part]: Words[K][number][] } & { errors: string[]; passedOn: string[] };

const LEVELS: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error']);

/** The simulator is a tool, not the product. */
const SIMULATOR = /^(operator\/)?sim\//;

export function wordsOf(program: Program): Words {
  const found: Found = { conditions: [], events: [], logs: [], problems: [], errors: [], passedOn: [] };
  const visit = (node: Node): void => {
    if (isObjectLiteralExpression(node)) readObject(program, node, found);
    else if (isNewExpression(node)) readError(program, node, found);
    else if (isCallExpression(node)) readLog(program, node, found);
    node.forEachChild(visit);
  };
  for (const { path, file } of program.sources) if (!SIMULATOR.test(path)) visit(file);
  const reported = new Set(found.conditions.map(({ reason }) => reason));
  const thrown = found.errors.filter((reason) => !reported.has(reason));
  return {
    conditions: unique([...found.conditions, ...thrown.map((reason) => ({ reason, state: 'stalled' }))]),
    events: unique(found.events),
    logs: unique(found.logs),
    problems: unique(found.problems),
    passedOn: [...new Set(found.passedOn)].toSorted(),
  };
}

/** Each once, in the order of their parts. */
function unique<T extends object>(all: readonly T[]): readonly T[] {
  const byText = new Map(all.map((each) => [JSON.stringify(Object.values(each)), each]));
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

/** A verdict, an event or a problem, by the names of its parts. */
function readObject(program: Program, node: ObjectLiteralExpression, found: Found): void {
  const parts = new Map(node.properties.flatMap((property) => partOf(property)));
  const texts = (name: string) => knownOf(program, parts.get(name), found);
  const has = (...names: readonly string[]) => names.every((name) => parts.has(name));
  if (has('state', 'reason', 'message')) found.conditions.push(...together(texts('reason'), texts('state')));
  if (has('type', 'reason', 'note'))
    for (const reason of texts('reason'))
      found.events.push({ reason, type: texts('type').join(' or ') || 'Normal or Warning' });
  if (has('status', 'code', 'title'))
    for (const code of texts('code'))
      found.problems.push({ code, status: parts.get('status')?.getText() ?? '', title: texts('title').join() });
}

/** As many states as reasons come from the same choice; else each reason may have each state. */
function together(reasons: readonly string[], states: readonly string[]): readonly ConditionReason[] {
  return reasons.flatMap((reason, index) =>
    (states.length === reasons.length ? states.slice(index, index + 1) : states).map((state) => ({ reason, state })),
  );
}

function partOf(property: Node): readonly (readonly [name: string, value: Node])[] {
  if (isShorthandPropertyAssignment(property)) return [[property.name.getText(), property.name]];
  return isPropertyAssignment(property) && isIdentifier(property.name)
    ? [[property.name.text, property.initializer]]
    : [];
}

/** `new TerminalError(reason, …)`: what no status has said before becomes a stalled condition. */
function readError(program: Program, node: Node, found: Found): void {
  if (!isNewExpression(node) || node.expression.getText() !== 'TerminalError') return;
  found.errors.push(...knownOf(program, node.arguments?.[0], found));
}

function knownOf(program: Program, value: Node | undefined, found: Found): readonly string[] {
  if (!value) return [];
  const { known, open } = textsOf(program.checker, value);
  for (const node of open) {
    const file = node.getSourceFile().fileName.split('/').at(-1) ?? '';
    found.passedOn.push(`${file}: ${node.getText()}`);
  }
  return known;
}

function readLog({ checker }: Program, node: Node, found: Found): void {
  if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return;
  const { expression: logger, name } = node.expression;
  if (!LEVELS.has(name.text) || checker.getTypeAtLocation(logger)?.getSymbol()?.name !== 'Logger') return;
  const [message, data] = node.arguments;
  if (!message) return;
  const fields = fieldsOf(checker, data);
  const { known, open } = textsOf(checker, message);
  for (const text of open.length > 0 ? [...known, '…'] : known)
    found.logs.push({ message: text, level: name.text, fields });
}

function fieldsOf(checker: Checker, data: Node | undefined): readonly string[] {
  const type = data && checker.getTypeAtLocation(data);
  return type ? checker.getPropertiesOfType(type).map(({ name }) => name) : [];
}
