/** `POST /api/v1/leadership/handover`: asks the leader to hand over, whichever controller is asked. */
import { timingSafeEqual, createHash } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { HandOverRequest } from '../api/handover.ts';
import { parseHandOver } from '../api/handover.ts';
import { sendProblem } from './problem.ts';

/** What became of a request to hand over. */
export type HandOverAnswer =
  | {
      readonly outcome: 'accepted';
      readonly from: string;
      readonly to: string;
      readonly toCluster: string;
      readonly term: number;
    }
  /** outdated: somebody else leads than was expected. nobody: there is no controller that could lead next. */
  | { readonly outcome: 'outdated' | 'nobody' | 'unreachable'; readonly why: string };

/** Who takes requests to hand over. */
export interface LeadershipDesk {
  /** What the caller must send; undefined: nobody may ask. */
  readonly token: () => string | undefined;
  handOver(request: HandOverRequest): Promise<HandOverAnswer>;
}

/** Only who knows the token. */
export function authorized({ token }: LeadershipDesk): RequestHandler {
  return (request, response, next) => {
    const wanted = token();
    if (wanted === undefined) {
      const detail =
        'Set api.tokenFile (HIGHLANDER_API_TOKEN_FILE) to a file with a token of at least 16 characters to allow hand-overs over HTTP, or use highlander handover';
      return sendProblem(response, { status: 403, code: 'api_disabled', title: 'Forbidden', detail });
    }
    if (isSame(bearerIn(request.get('authorization')), wanted)) return next();
    response.set('WWW-Authenticate', 'Bearer realm="highlander"');
    const detail = 'Send the token of api.tokenFile: Authorization: Bearer TOKEN';
    sendProblem(response, { status: 401, code: 'unauthorized', title: 'Unauthorized', detail });
  };
}

/** Handles the request: 202 when it was accepted, else a problem that says why not. */
export function handOver(desk: LeadershipDesk): RequestHandler {
  return (request, response, next) => {
    const wish = parseHandOver(request.body);
    if (typeof wish === 'string')
      return sendProblem(response, { status: 400, code: 'bad_request', title: 'Bad Request', detail: wish });
    desk.handOver(wish).then((said) => answer(response, said), next);
  };
}

const PROBLEMS = {
  outdated: { status: 412, code: 'leader_changed', title: 'Precondition Failed' },
  nobody: { status: 409, code: 'no_candidate', title: 'Conflict' },
  unreachable: { status: 503, code: 'store_unreachable', title: 'Service Unavailable' },
} as const;

function answer(response: Response, said: HandOverAnswer): void {
  if (said.outcome !== 'accepted') return sendProblem(response, { ...PROBLEMS[said.outcome], detail: said.why });
  const { outcome: _, ...body } = said;
  response.status(202).set('Cache-Control', 'no-store').json(body);
}

/** The scheme may be written in any case (RFC 9110); '' when there is no token. */
function bearerIn(header = ''): string {
  const [scheme = '', ...rest] = header.split(' ');
  return scheme.toLowerCase() === 'bearer' ? rest.join(' ').trim() : '';
}

/** Takes as long for a wrong one as for the right one. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
