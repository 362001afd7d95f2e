/** Who may ask for something over HTTP. */
import type { Files } from './connection.ts';
import { problemAt } from './connection.ts';
import type { Problem } from './problems.ts';
import type { Settings } from './schema.ts';
import type { Merged } from './tree.ts';
import { getAt } from './tree.ts';
import { messageOf } from '../lib/errors.ts';

/** Characters. A shorter token can be guessed. */
export const LEAST_TOKEN = 16;

/** What is wrong with the token of the HTTP API: given twice, or in a file that cannot be used. */
export function apiProblems(merged: Merged, files: Files): readonly Problem[] {
  const token = getAt(merged.tree, ['api', 'token']);
  const file = getAt(merged.tree, ['api', 'tokenFile']);
  if (typeof file !== 'string') return [];
  if (token !== undefined)
    return [problemAt('api.token', 'and api.tokenFile are mutually exclusive: remove one of them', merged)];
  try {
    const content = files.read(files.expand(file));
    if (content === undefined || content.trim().length >= LEAST_TOKEN) return [];
    const fix = `names a file with a token of ${content.trim().length} characters: at least ${LEAST_TOKEN} are required`;
    return [problemAt('api.tokenFile', fix, merged)];
  } catch (error) {
    return [problemAt('api.tokenFile', `names a file that cannot be read: ${messageOf(error)}`, merged)];
  }
}

/** The section as the program uses it; a path of a file becomes absolute. */
export function apiSettings({ token, tokenFile }: Settings['api'], files: Files): Settings['api'] {
  return {
    ...(token !== undefined && { token }),
    ...(tokenFile !== undefined && { tokenFile: files.expand(tokenFile) }),
  };
}
