/** What may be asked of `POST /api/v1/leadership/handover`. */
import * as z from 'zod';

const name = (what: string) => z.string(`must be ${what}, as text`).min(1, `must be ${what}, as text`);

const request = z.strictObject(
  {
    expectedLeader: name('the identity of the leader'),
    expectedTerm: z.int('must be the number of its term'),
    candidate: name('the identity of the next leader').optional(),
    candidateCluster: name('the name or the identity of a cluster').optional(),
  },
  {
    error: (issue) =>
      issue.code === 'invalid_type' ? 'must be an object with expectedLeader and expectedTerm' : undefined,
  },
);

/** The body of the request, checked. */
export type HandOverRequest = z.output<typeof request>;

/** Or what is wrong with it, for people. */
export function parseHandOver(body: unknown): HandOverRequest | string {
  const parsed = request.safeParse(body);
  if (parsed.success) return parsed.data;
  return parsed.error.issues
    .map(({ path, message, ...issue }) => {
      const unknown = issue.code === 'unrecognized_keys' ? `${issue.keys.join(', ')}: unknown field` : undefined;
      return unknown ?? (path.length > 0 ? `${path.join('.')} ${message}` : `the body ${message}`);
    })
    .join('; ');
}
