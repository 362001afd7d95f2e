/** Who wrote what, as the API server saw it. */

import { existsSync, readFileSync } from 'node:fs';

export interface AuditEvent {
  readonly user: string;
  readonly userAgent: string;
  readonly verb: string;
  /** With its subresource, as `pods/status`. */
  readonly resource: string;
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
  /** HTTP status of the answer. */
  readonly code: number;
  readonly receivedAt: Date;
  readonly answeredAt: Date;
}

interface RawEvent {
  readonly requestURI?: string;
  readonly verb: string;
  readonly user?: { readonly username?: string };
  readonly userAgent?: string;
  readonly objectRef?: Readonly<
    Partial<Record<'resource' | 'subresource' | 'apiGroup' | 'namespace' | 'name', string>>
  >;
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** All writes so far, oldest first, also those that were refused; a dry run is not one. */
export function readAuditLog(path: string): AuditEvent[] {
  if (!existsSync(path)) return [];
  const complete = readFileSync(path, 'utf8').split('\n').slice(0, -1); // the server may be writing the last line
  const events = complete.filter(Boolean).map((line) => JSON.parse(line) as RawEvent);
  return events.filter(({ requestURI = '' }) => !requestURI.includes('dryRun=All')).map(readEvent);
}

function readEvent({ verb, user, userAgent, objectRef = {}, responseStatus, ...times }: RawEvent): AuditEvent {
  const { resource = '', subresource } = objectRef;
  return {
    user: user?.username ?? '',
    userAgent: userAgent ?? '',
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    group: objectRef.apiGroup ?? '',
    namespace: objectRef.namespace ?? '',
    name: objectRef.name ?? '',
    code: responseStatus?.code ?? 0,
    receivedAt: new Date(times.requestReceivedTimestamp),
    answeredAt: new Date(times.stageTimestamp),
  };
}
