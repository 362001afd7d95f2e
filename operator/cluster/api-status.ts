/** Answers of the API server other than success, read into `ApiError`. Nothing of the request gets into a message. */
import type { IncomingHttpHeaders } from 'node:http';
import { cutText } from '../lib/redactor.ts';
import { ApiError } from './cluster-client.ts';

interface Status {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** Longest piece of an answer that is not a Status that gets into a message. */
const TEXT_LIMIT = 200;
/** Longest message of a Status, characters: webhooks and policies put into it what they like. */
const MESSAGE_LIMIT = 2000;
/** Reasons are single words. */
const REASON_LIMIT = 100;

/** The error for an HTTP answer; `what` names the call, e.g. `GET /api/v1/pods`. */
export function errorOfReply(what: string, status: number, headers: IncomingHttpHeaders, body: string): ApiError {
  const answer = parse(body);
  const text = messageIn(answer) ?? body.slice(0, TEXT_LIMIT).trim();
  const message = `${what}: ${status}${text ? ` ${text}` : ''}`;
  return new ApiError(status, reasonIn(answer), message, retryAfterMs(headers['retry-after'], answer));
}

/** The error for the object of an ERROR event in a watch. */
export function errorOfEvent(what: string, object: unknown): ApiError {
  const status: Status = typeof object === 'object' && object !== null ? object : {};
  const code = status.code ?? 500;
  const message = `${what}: ${code} ${messageIn(status) ?? 'The watch ended with an error'}`;
  return new ApiError(code, reasonIn(status), message, retryAfterMs(undefined, status));
}

/** What a server sends is not always of the type that it should have. */
function messageIn(status: Status | undefined): string | undefined {
  const message: unknown = status?.message;
  return typeof message === 'string' ? cutText(message, MESSAGE_LIMIT) : undefined;
}

function reasonIn(status: Status | undefined): string {
  const reason: unknown = status?.reason;
  return typeof reason === 'string' ? reason.slice(0, REASON_LIMIT) : '';
}

function parse(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && (value as Status).kind === 'Status'
      ? (value as Status)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A wait asked for by mistake, as a date for a number of seconds, must not end a watch for years. */
const LONGEST_RETRY_MS = 5 * 60_000;

function retryAfterMs(header: string | undefined, status: Status | undefined): number | undefined {
  const seconds = Number(header?.trim() || status?.details?.retryAfterSeconds || Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, LONGEST_RETRY_MS) : undefined;
}
