import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseYaml, stringifyYaml } from './yaml.ts';

const HEAD = 'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n';

/** Plain scalars and what kubectl makes of them. */
const SCALARS: readonly (readonly [text: string, value: unknown])[] = [
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'].map((text) => [text, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'False', 'FALSE'].map((text) => [text, false] as const),
  ...['~', 'null', 'Null', 'NULL'].map((text) => [text, null] as const),
  ...[
    'yEs',
    'nULL',
    'oN',
    '1:30',
    '190:20:30.15',
    '2001-12-14',
    '2001-12-14t21:59:43.10-05:00',
    '=',
    '0b12',
    '0x',
    '1e400',
  ].map((text) => [text, text] as const),
  ...['1.2.3', '_1', 'e1', '1e', '.', '0o8', '10.0.0.0/8', '1Gi', '08:30', '+', '0x1.8p3'].map(
    (text) => [text, text] as const,
  ),
  ['0400', 256],
  ['0777', 511],
  ['-0400', -256],
  ['+0400', 256],
  ['0o17', 15],
  ['0O17', 15],
  ['08', 8],
  ['0x1F', 31],
  ['0b11', 3],
  ['-0b11', -3],
  ['1_000', 1000],
  ['1_', 1],
  ['0_8', 8],
  ['685_230.15', 685230.15],
  ['.5', 0.5],
  ['5.', 5],
  ['1e3', 1000],
  ['-2E+05', -200000],
  ['9223372036854775807', Number(2n ** 63n - 1n)],
  ['18446744073709551616', Number(2n ** 64n)],
  ['123456789012345678901234567890', 1.2345678901234568e29],
  ["'0400'", '0400'],
  ['"no"', 'no'],
  ['! 12', '12'],
  ['!!str 12', '12'],
  ['!!int "7"', 7],
  ['!!float 3', 3],
  ['!!bool "yes"', true],
  ['!!binary aGk=', 'hi'],
  ['!custom 12', '12'],
  ['!!timestamp 2001-12-14', '2001-12-14'],
];

/** Whole documents; `undefined`: kubectl refuses them. */
const DOCUMENTS: readonly (readonly [text: string, value: unknown])[] = [
  ['spec: {a: 1, a: 2}', { spec: { a: 2 } }],
  ['spec: {on: a, 1: b, 0400: c, 1.5: d, no: e}', { spec: { true: 'a', 1: 'b', 256: 'c', 1.5: 'd', false: 'e' } }],
  ['spec: {a: &x {b: 1}, c: {<<: *x, d: 2}}', { spec: { a: { b: 1 }, c: { b: 1, d: 2 } } }],
  ['spec: {a: &x {b: 1}, c: {<<: [*x, {b: 9, z: 1}]}}', { spec: { a: { b: 1 }, c: { b: 1, z: 1 } } }],
  ['spec: {a: &x {b: 1}, c: {b: 5, <<: *x}, d: {<<: *x, b: 6}}', { spec: { a: { b: 1 }, c: { b: 1 }, d: { b: 6 } } }],
  ['spec: {"<<": 1}', { spec: { '<<': 1 } }],
  ['spec: [a: 1]', { spec: [{ a: 1 }] }],
  ['spec: {h: !!set {a, b}}', { spec: { h: { a: null, b: null } } }],
  ['spec: &a [1]\nmore: *a', { spec: [1], more: [1] }],
  ['spec: {}\n---\n# nothing', { spec: {} }],
  ['spec: |\n  a\n   b\nmore: >-\n  c\n  d', { spec: 'a\n b\n', more: 'c d' }],
  ['spec: [\na,\nb # c\n]', { spec: ['a', 'b'] }],
  [
    'spec:\n  json: {\n"a": [\n\t1,\n\t"{"\n]\n}\n  text: |\n   [\n\n  more: it\'s [x',
    { spec: { json: { a: [1, '{'] }, text: '[\n', more: "it's [x" } },
  ],
  ['spec: "a\n\tb"', { spec: 'a b' }],
  ['spec: "a"#b', { spec: 'a' }],
  ['spec:\ta\t# b', { spec: 'a' }],
  ['spec: |\r\n  a\r\n  b\r\n', { spec: 'a\nb\n' }],
  ['spec:\r  a: 1', { spec: { a: 1 } }],
  ['spec: 1\n---\n\ufeff# nothing', { spec: 1 }],
  ['spec: 1\n--- # two', { spec: 1 }],
  ['spec: 1\n...\nmore: 2', { spec: 1 }],
  ['spec: 1\n--- {more: 2}', undefined],
  ['spec: 1\n---\n%YAML 1.1\n---\nmore: 2', undefined],
  ['spec: 1\n---\n...\nmore: 2', undefined],
  ['spec:\n  a: 1\n\t\n  b: 2', undefined],
  ['spec: "a\u0007b"', undefined],
  ['spec: "\\/"', undefined],
  ['spec: "\\ud83d\\ude00"', undefined],
  ['spec: "\\\\/ \\u00e9"', { spec: '\\/ é' }],
  ['spec: {a: &x [{b: 1}], c: {<<: *x}}', undefined],
  ['spec: [&a.b 1]', undefined],
  ['spec: !!int 08', undefined],
  ['spec: {a: .inf}', undefined],
  ['spec: {a: .nan}', undefined],
  ['spec: {a: *nowhere}', undefined],
  ['spec: &a\n  x: *a', undefined],
  ['spec: {? [a] : 1}', undefined],
  ['spec: {~: 1}', undefined],
  ['spec: {a: !!int 3x}', undefined],
  ['spec: {a: !!binary "%%"}', undefined],
  ['spec: {<<: 1}', undefined],
  ['spec: {a: %b}', undefined],
  ['spec:\n\ta: 1', undefined],
  ['spec:\n  a: b: c', undefined],
];

function valuesOf(text: string): readonly unknown[] | undefined {
  const documents = parseYaml(text);
  if (documents.some(({ errors }) => errors.length > 0)) return undefined;
  return documents.flatMap(({ value }) => (value === undefined ? [] : [value]));
}

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

/** As kubectl reads it, without a cluster. */
function byKubectl(text: string): unknown {
  const { status, stdout } = spawnSync('kubectl', ['annotate', '--local', '-f', '-', '-o', 'json', 'read=yes'], {
    input: text,
    encoding: 'utf8',
  });
  if (status !== 0) return undefined;
  const { metadata: _, apiVersion: __, kind: ___, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
  return rest;
}

describe('scalars', () => {
  it.each(SCALARS)('%s', (text, value) => {
    expect(valuesOf(`spec: ${text}`)).toEqual([{ spec: value }]);
  });

  it.skipIf(!hasKubectl)('are what kubectl makes of them', () => {
    const list = SCALARS.map(([text]) => `- ${text}\n`).join('');
    expect(byKubectl(`${HEAD}spec:\n${list}`)).toEqual({ spec: SCALARS.map(([, value]) => value) });
  });
});

describe('documents', () => {
  it('of JSON follow each other without anything between them', () => {
    const text = '\n{"a": "}{\\""}{"b": {"c": {}}}\n {"d": 1}';
    const documents = parseYaml(text);
    expect(documents.map(({ value }) => value)).toEqual([{ a: '}{"' }, { b: { c: {} } }, { d: 1 }]);
    expect([documents[1]?.locate(['b', 'c']), documents[2]?.locate(['d'])]).toEqual(['2:26', '3:8']);
  });

  it('that begin like JSON are not cut', () => {
    expect(valuesOf('{a: 1}\n---\n{b: 2}')).toEqual([{ a: 1 }, { b: 2 }]);
    expect(valuesOf('{a: {b: "x} {"}, c: 2}')).toEqual([{ a: { b: 'x} {' }, c: 2 }]);
    expect(valuesOf("{a: {b: 'x} } {y'}, c: 2}")).toEqual([{ a: { b: 'x} } {y' }, c: 2 }]);
  });

  it.each(DOCUMENTS)('%s', (text, value) => {
    expect(valuesOf(text)).toEqual(value === undefined ? undefined : [value]);
  });

  it.skipIf(!hasKubectl).each(DOCUMENTS)('as kubectl: %s', (text, value) => {
    expect(byKubectl(HEAD + text)).toEqual(value);
  });

  it('of YAML may follow one JSON object, but not several', () => {
    expect(valuesOf('{"a": 1}\nb: 2\n---\nc: 3')).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
    expect(valuesOf('{"a": "\\/"}\n{"b": 2}\nc: 3')).toBeUndefined();
  });

  it('are as many as there are', () => {
    expect(valuesOf(`${HEAD}---\n---\n${HEAD}...\n---\n# end\n`)).toHaveLength(2);
  });
});

it('says where a value stands, also one that came by a merge or an alias', () => {
  const [document] = parseYaml('base: &b\n  on: 1\nspec:\n  <<: *b\n  list:\n  - x\n  - again: *b\n');
  expect(document?.locate(['spec', 'true'])).toBe('2:7');
  expect(document?.locate(['spec', 'list', 1])).toBe('7:5');
  expect(document?.locate(['spec', 'list', 1, 'again', 'true'])).toBe('2:7');
  expect(document?.locate(['spec', 'nothing'])).toBeUndefined();
});

it('says which keys are given twice', () => {
  expect(parseYaml('a: 1\nb: 2\na: 3\n')[0]?.doubts).toEqual([
    { at: '3:1', what: '"a" is specified twice: the later value is used' },
  ]);
});

it('reads no file of aliases that grows without end', () => {
  const levels = Array.from({ length: 30 }, (_, n) => `l${n + 1}: &l${n + 1} [*l${n}, *l${n}, *l${n}]\n`).join('');
  expect(valuesOf(`l0: &l0 x\n${levels}`)).toBeUndefined();
});

it('keeps keys such as __proto__ harmless', () => {
  expect(Object.keys(valuesOf('{__proto__: {a: 1}}')?.[0] as object)).toEqual(['__proto__']);
});

describe('what is written', () => {
  const texts = SCALARS.map(([text]) => text).concat('', 'a\nb\n', ' lead', '#', 'a: b', '<<', '- x', "it's", '"');

  it('is read as it was', () => {
    const value = { texts, no: 1, '0400': true, empty: null };
    expect(valuesOf(stringifyYaml(value))).toEqual([value]);
  });

  it.skipIf(!hasKubectl)('is read by kubectl as it was', () => {
    const value = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' }, texts, no: 1, '0400': true };
    const read = execFileSync('kubectl', ['annotate', '--local', '-f', '-', '-o', 'json', 'read=yes'], {
      input: stringifyYaml(value),
      encoding: 'utf8',
    });
    expect(JSON.parse(read)).toMatchObject({ texts, no: 1, '0400': true });
  });
});

it.each([
  ['[', '[', ''],
  ['- ', '- ', 'x'],
  ['{"a":', '{"a":', '1'],
])('what nests %s without end is one flaw', (_, part, last) => {
  const [{ errors } = { errors: [] }, ...more] = parseYaml(part.repeat(50_000) + last);
  expect([errors.map(({ what }) => what), more]).toEqual([['is nested too deeply'], []]);
});
