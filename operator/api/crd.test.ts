import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { customResourceDefinition, structural } from './crd.ts';
import { customResources } from './kinds.ts';

describe('structural', () => {
  it.each([
    ['a 32-bit integer', z.int32().min(0), { type: 'integer', format: 'int32', minimum: 0 }],
    ['a 64-bit integer', z.int(), { type: 'integer', format: 'int64' }],
    ['a map', z.record(z.string(), z.string()), { type: 'object', additionalProperties: { type: 'string' } }],
    ['an enum with a default', z.enum(['a', 'b']).default('a'), { type: 'string', enum: ['a', 'b'], default: 'a' }],
    [
      'an object',
      z.object({ a: z.string(), b: z.boolean().optional() }),
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'boolean' } }, required: ['a'] },
    ],
    [
      'an integer or a string',
      z.union([z.int().min(0), z.string().max(9)]),
      {
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        minimum: 0,
        maxLength: 9,
      },
    ],
  ])('%s', (_sentence, schema: z.ZodType, expected) => expect(structural(schema)).toEqual(expected));

  it('refuses what a structural schema cannot say', () => {
    expect(() => structural(z.object({ a: z.union([z.string(), z.boolean()]) }))).toThrow('.a: no union');
    expect(() => structural(z.object({ a: z.string() }).meta({ oneOf: [] }))).toThrow("'oneOf' has no place");
  });
});

it.each(customResources)('every field of $kind that a user may write is described', ({ spec, status }) => {
  const bare: string[] = [];
  const walk = (schema: ReturnType<typeof structural>, path: string) => {
    for (const [name, child] of Object.entries((schema['properties'] ?? {}) as Record<string, typeof schema>)) {
      if (typeof child['description'] !== 'string') bare.push(`${path}.${name}`);
      walk(child, `${path}.${name}`);
      walk((child['items'] ?? {}) as typeof schema, `${path}.${name}[]`);
    }
  };
  walk(structural(spec), 'spec');
  walk(structural(status), 'status');
  expect(bare).toEqual([]);
});

it.each(customResources)('the default view of $kind is NAME ACTIVE HEALTHY AGE', (resource) => {
  const columns = resource.columns.filter(({ priority }) => !priority).map(({ name }) => name);
  expect(columns).toEqual(['Active', 'Healthy', 'Age']);
  expect(customResourceDefinition(resource)).toMatchObject({
    spec: { names: { categories: ['highlander'] }, versions: [{ subresources: { status: {} } }] },
  });
});

it('short names are those of the original', () => {
  expect(customResources.flatMap(({ shortNames }) => shortNames)).toEqual(['wlp', 'wls', 'wlper', 'wlc']);
});
