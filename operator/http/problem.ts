/** Errors as RFC 9457 problem details, with a stable `code` for programs. */
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { Logger } from '../lib/logger.ts';

/** What went wrong with a request. */
export interface Problem {
  readonly status: number;
  /** Stable: clients may compare it. */
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
}

/** Sends the problem as `application/problem+json`; it is never cached. */
export function sendProblem(response: Response, problem: Problem): void {
  response
    .status(problem.status)
    .set('Cache-Control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', ...problem, instance: response.req.path }));
}

/** Answers paths that do not exist. */
export const notFound: RequestHandler = (request, response) => {
  sendProblem(response, {
    status: 404,
    code: 'not_found',
    title: 'Not Found',
    detail: `Unknown path: ${request.path}`,
  });
};

/** Answers other methods on a path that exists. */
export function onlyMethods(...methods: readonly string[]): RequestHandler {
  return (request, response) => {
    response.set('Allow', methods.join(', '));
    const detail = `Method ${request.method} is not supported here; use ${methods.join(' or ')}`;
    sendProblem(response, { status: 405, code: 'method_not_allowed', title: 'Method Not Allowed', detail });
  };
}

/** The last handler. What went wrong inside is for the log, not for the caller. */
export function problemOfError(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const status = statusOf(error);
    if (status < 500) {
      sendProblem(response, { status, code: 'bad_request', title: 'Bad Request' });
      return;
    }
    logger.error('Failed to answer a request', { method: request.method, path: request.path, error });
    sendProblem(response, { status: 500, code: 'internal', title: 'Internal Server Error' });
  };
}

/** Errors of the framework itself, such as a malformed path, name their status. */
function statusOf(error: unknown): number {
  const status: unknown = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}
