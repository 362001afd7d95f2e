/**
 * Probes. A standby is ready: readiness says that this controller could lead, not that it does. Liveness never depends
 * on the store or on the API server, for a restart would mend neither.
 */
import type { Request, RequestHandler, Response } from 'express';
import { messageOf } from '../lib/errors.ts';

/** One thing that must be well. */
export interface HealthCheck {
  /** Short and stable: people grep for it. */
  readonly name: string;
  /** The reason why not, or `undefined` when all is well. Looks at what is known; never waits. */
  check(): string | undefined;
}

/** What liveness and readiness depend on. */
export interface HealthChecks {
  /** Failing means: only a restart helps. */
  readonly live: readonly HealthCheck[];
  /** Failing means: cannot take over at the moment. */
  readonly ready: readonly HealthCheck[];
}

interface Finding {
  readonly name: string;
  readonly reason: string | undefined;
}

/** Handlers of the three paths. */
export interface Probes {
  readonly healthz: RequestHandler;
  readonly livez: RequestHandler;
  readonly readyz: RequestHandler;
}

/** Probes that answer 200 or 503, with one line for each check when asked with `?verbose`. */
export function createProbes({ live, ready }: HealthChecks): Probes {
  return {
    healthz: probe('healthz', 'not healthy', []),
    livez: probe('livez', 'not live', live),
    readyz: probe('readyz', 'not ready', ready),
  };
}

/** 200 `ok` or 503 `<failure> - <reasons>`; with `?verbose` one line per check. */
function probe(name: string, failure: string, checks: readonly HealthCheck[]): RequestHandler {
  const served: HealthCheck = { name: 'ping', check: () => undefined };
  return (request, response) => {
    const findings = [served, ...checks].map(look);
    const failed = findings.filter(({ reason }) => reason !== undefined);
    const brief = failed.length === 0 ? 'ok' : `${failure} - ${failed.map(({ reason }) => reason).join('; ')}`;
    send(response, failed.length === 0 ? 200 : 503, isVerbose(request) ? verbose(name, findings) : brief);
  };
}

function look(check: HealthCheck): Finding {
  try {
    return { name: check.name, reason: check.check() };
  } catch (error) {
    return { name: check.name, reason: `check failed: ${messageOf(error)}` };
  }
}

function verbose(name: string, findings: readonly Finding[]): string {
  const lines = findings.map((found) =>
    found.reason === undefined ? `[+]${found.name} ok` : `[-]${found.name} failed: ${found.reason}`,
  );
  const passed = findings.every(({ reason }) => reason === undefined);
  return [...lines, `${name} check ${passed ? 'passed' : 'failed'}`, ''].join('\n');
}

/** `?verbose` as Kubernetes has it: present is enough. */
function isVerbose(request: Request): boolean {
  const asked = request.query['verbose'];
  return asked !== undefined && asked !== 'false' && asked !== '0';
}

function send(response: Response, status: number, text: string): void {
  response.status(status).set('Cache-Control', 'no-store').type('text/plain').send(text);
}
