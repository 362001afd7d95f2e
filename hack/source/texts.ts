/** Which texts an expression of the source may have, as far as the source alone tells. */
import type { Expression, Node, ParameterDeclaration, TemplateExpression } from 'typescript/unstable/ast';
import {
  isAsExpression,
  isBinaryExpression,
  isCallExpression,
  isConditionalExpression,
  isIdentifier,
  isNewExpression,
  isParameterDeclaration,
  isParenthesizedExpression,
  isPropertyAccessExpression,
  isShorthandPropertyAssignment,
  isStringLiteralLikeNode,
  isTemplateExpression,
  isVariableDeclaration,
  SyntaxKind,
} from 'typescript/unstable/ast';
import type { Checker, Type } from 'typescript/unstable/sync';

export interface Texts {
  /** What is only known at run time stands in braces, by its name: `{kind}Created`. */
  readonly known: readonly string[];
  /** Expressions that may be anything. */
  readonly open: readonly Node[];
}

const EITHER: ReadonlySet<SyntaxKind> = new Set([SyntaxKind.QuestionQuestionToken, SyntaxKind.BarBarToken]);
/** Callers of callers that are followed. */
const MAX_DEPTH = 8;

export function textsOf(checker: Checker, expression: Node, depth = 0): Texts {
  const follow = (next: Node) => textsOf(checker, next, depth + 1);
  const open: Texts = { known: [], open: [expression] };
  if (depth > MAX_DEPTH) return open;
  if (isStringLiteralLikeNode(expression)) return { known: [expression.text], open: [] };
  if (isParenthesizedExpression(expression) || isAsExpression(expression)) return follow(expression.expression);
  if (isConditionalExpression(expression)) return all([expression.whenTrue, expression.whenFalse].map(follow));
  if (isBinaryExpression(expression) && EITHER.has(expression.operatorToken.kind))
    return all([expression.left, expression.right].map(follow));
  if (isTemplateExpression(expression)) return { known: filled(expression, follow), open: [] };
  return typed(checker, expression) ?? declared(checker, expression, follow) ?? open;
}

/** Of an expression whose type names all its texts. */
function typed(checker: Checker, expression: Node): Texts | undefined {
  const known = literalsOf(checker.getTypeAtLocation(expression));
  return known.length > 0 ? { known, open: [] } : undefined;
}

function all(texts: readonly Texts[]): Texts {
  return { known: texts.flatMap(({ known }) => known), open: texts.flatMap((each) => each.open) };
}

/** Every text of a template whose parts may have several. */
function filled({ head, templateSpans }: TemplateExpression, follow: (next: Node) => Texts): readonly string[] {
  return templateSpans.reduce<readonly string[]>(
    (texts, { expression, literal }) => {
      const { known, open } = follow(expression);
      const parts = open.length === 0 ? known : [`{${nameOf(expression)}}`];
      return texts.flatMap((text) => parts.map((part) => `${text}${part}${literal.text}`));
    },
    [head.text],
  );
}

function nameOf(expression: Expression): string {
  if (isIdentifier(expression)) return expression.text;
  if (isPropertyAccessExpression(expression)) return expression.name.text;
  if (isCallExpression(expression)) return nameOf(expression.arguments[0] ?? expression.expression);
  return '…';
}

function literalsOf(type: Type | undefined): readonly string[] {
  if (type?.isStringLiteralType()) return [type.value];
  if (!type?.isUnionType()) return [];
  const types = type.getTypes() ?? [];
  const texts = types.flatMap((each) => (each.isStringLiteralType() ? [each.value] : []));
  return texts.length === types.length ? texts : [];
}

/** Of a name: of what it was set to, or of what callers pass for it. */
function declared(checker: Checker, name: Node, follow: (next: Node) => Texts): Texts | undefined {
  if (!isIdentifier(name)) return undefined;
  const symbol = isShorthandPropertyAssignment(name.parent)
    ? checker.getShorthandAssignmentValueSymbol(name.parent)
    : checker.getSymbolAtLocation(name);
  const declaration = symbol?.valueDeclaration?.resolve();
  if (!declaration) return undefined;
  if (isVariableDeclaration(declaration) && declaration.initializer && isIdentifier(declaration.name))
    return follow(declaration.initializer);
  return isParameterDeclaration(declaration) ? passed(checker, declaration, follow) : undefined;
}

function passed(checker: Checker, parameter: ParameterDeclaration, follow: (next: Node) => Texts): Texts | undefined {
  const owner = parameter.parent;
  if (!('parameters' in owner) || !isIdentifier(parameter.name)) return undefined;
  const index = (owner.parameters as readonly Node[]).indexOf(parameter);
  const given = callsOf(checker, owner).flatMap((call) =>
    isCallExpression(call) || isNewExpression(call) ? (call.arguments?.[index] ?? []) : [],
  );
  return given.length > 0 ? all(given.map(follow)) : undefined;
}

/** Of a function: where it is called by its name, or by the name of the constant that holds it. */
function callsOf(checker: Checker, owner: Node): readonly Node[] {
  const { parent } = owner;
  if (!isVariableDeclaration(parent))
    return checker.getSignatureUsage(owner).flatMap(({ call }) => call?.resolve() ?? []);
  return checker
    .getReferencedSymbolsForNode(parent.name, parent.name.getStart())
    .flatMap(({ references }) => references.flatMap((reference) => reference.resolve()?.parent ?? []));
}
