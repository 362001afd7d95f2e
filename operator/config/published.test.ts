import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve as path } from 'node:path';
import { describe, expect, it } from 'vitest';
import { specFlaws } from '../api/check.ts';
import { customResources } from '../api/kinds.ts';
import type { Example } from './testing/published.ts';
import { examples, yamlBlocks } from './testing/published.ts';
import { resolve } from './testing/resolving.ts';

/** Lies beside the repository where the product's specification is at hand. */
const SEED = path(import.meta.dirname, '../../../shared/seed');

describe('the published examples', () => {
  const usesSpanner = ({ text }: { readonly text: string }) => /storage(Type)?: "spanner"/.test(text);
  const load = ({ text }: { readonly text: string }) =>
    resolve({ yaml: text, env: text.includes('addr:') ? {} : { HIGHLANDER_REDIS_ADDR: 'redis:6379' } });

  it.each(examples.config.filter((each) => !usesSpanner(each)))('loads\n$text', (example) => {
    const { storageType, workloads, notices } = load(example);
    expect(storageType).toBe('redis');
    const placeholders = notices.filter((notice) => notice.includes('has no image'));
    expect(workloads.length + placeholders.length).toBe(example.text.match(/- name: "[a-z-]+-/g)?.length);
  });

  it.each(examples.config.filter(usesSpanner))('loads with its Spanner database\n$text', (example) => {
    const { storageType, spanner } = resolve({ yaml: example.text });
    expect(storageType).toBe('spanner');
    expect(spanner).toEqual({
      projectID: expect.stringMatching(/^my-(gcp-)?project$/),
      instanceID: 'highlander-instance',
      databaseID: 'highlander-db',
    });
  });

  it.each(examples.manifests.filter(({ text }) => text.includes('kind: Workload')))(
    'is valid\n$text',
    ({ content }) => {
      const resource = customResources.find(({ kind }) => kind === content['kind']);
      expect(resource && specFlaws(resource, content['spec'])).toEqual([]);
    },
  );

  it('are all there', () => expect([examples.config.length, examples.manifests.length]).toEqual([11, 3]));

  // Elsewhere there is nothing to compare them with.
  it.runIf(existsSync(SEED))('are those of the page', () => {
    const page = readdirSync(SEED).map((name) => readFileSync(join(SEED, name), 'utf8'));
    const sorted = (all: readonly Example[]) => all.map(({ content }) => JSON.stringify(content)).toSorted();
    expect(sorted(examples.all)).toEqual(sorted(yamlBlocks(page.join('\n'))));
  });
});
