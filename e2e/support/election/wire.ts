/** What members and the stand-in for the API server say to each other: a line of JSON each, over TCP. */
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Permit } from '../../../operator/leadership/permit.ts';

export interface StoredObject {
  readonly name: string;
  /** 0: it is not there yet. */
  readonly version: number;
  readonly term: number;
}

export type Request = { readonly id: number } & (
  | { readonly op: 'list' }
  | { readonly op: 'put'; readonly by: string; readonly object: StoredObject }
  | { readonly op: 'read permit' }
  | { readonly op: 'write permit'; readonly permit: Permit; readonly expected: string | undefined }
);

export interface Reply {
  readonly id: number;
  /** Of `put`: false when the object had another version than the one sent; the present one is in `objects`. */
  readonly ok?: boolean;
  readonly objects?: readonly StoredObject[];
  readonly kept?: { readonly permit: Permit; readonly version: string };
  /** Of `write permit`: the new version; absent when another one was expected. */
  readonly version?: string;
}

export function send(socket: Socket, message: Request | Reply): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

export function receive<T extends Request | Reply>(socket: Socket, each: (message: T) => void): void {
  const lines = createInterface(socket);
  lines.on('line', (line) => each(JSON.parse(line) as T));
  lines.on('error', () => {}); // it repeats the socket's
}
