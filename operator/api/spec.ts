/** A spec as the API server has it, checked once more: where a CRD's validation was not enforced, or cannot say it. */
import type * as z from 'zod';
import { TerminalError } from '../lib/errors.ts';

/** Throws `TerminalError` InvalidSpec that names the field. */
export function checkedSpec<S extends z.ZodType>(schema: S, spec: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(spec);
  if (success) return data;
  const issue = error.issues[0];
  const field = ['spec', ...(issue?.path ?? [])].map(String).join('.');
  const { message = 'is not valid' } = issue ?? {};
  const what = /^(is|must) /.test(message) ? ` ${message}` : `: ${message}`;
  throw new TerminalError('InvalidSpec', `${field}${what}`, { cause: error });
}
