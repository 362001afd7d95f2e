/**
 * Stands in for the API server: a few versioned objects that refuse nothing but a stale version, so that whatever else
 * keeps an old leader from writing is the leader's own doing.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { stamped, type Event } from './history.ts';
import { receive, send, type Reply, type Request, type StoredObject } from './wire.ts';
import type { Permit } from '../../../operator/leadership/permit.ts';

export const OBJECTS = ['one', 'two', 'three'];

export class StandIn implements AsyncDisposable {
  readonly accepted: Event[] = [];
  refused = 0;
  readonly #objects = new Map(OBJECTS.map((name): [string, StoredObject] => [name, { name, version: 0, term: 0 }]));
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#serve(socket));
  #kept: { readonly permit: Permit; readonly version: string } | undefined;

  static async start(): Promise<StandIn> {
    const server = new StandIn();
    await new Promise<void>((resolve) => void server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Who wrote last, and when. */
  get last(): Event | undefined {
    return this.accepted.at(-1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    receive<Request>(socket, (request) => send(socket, { id: request.id, ...this.#answer(request) }));
  }

  #answer(request: Request): Omit<Reply, 'id'> {
    switch (request.op) {
      case 'list':
        return { objects: [...this.#objects.values()] };
      case 'put':
        return this.#put(request.by, request.object);
      case 'read permit':
        return this.#kept ? { kept: this.#kept } : {};
      case 'write permit':
        return this.#keep(request.permit, request.expected);
    }
  }

  #keep(permit: Permit, expected: string | undefined): Omit<Reply, 'id'> {
    if (this.#kept?.version !== expected) return {};
    const version = String(Number(expected ?? 0) + 1);
    this.#kept = { permit, version };
    return { version };
  }

  #put(by: string, { name, version, term }: StoredObject): Omit<Reply, 'id'> {
    const present = this.#objects.get(name);
    if (present?.version !== version) {
      this.refused += 1;
      return { ok: false, objects: present ? [present] : [] };
    }
    const written = { name, version: version + 1, term };
    this.#objects.set(name, written);
    this.accepted.push(stamped(by, { kind: 'accepted', object: name, version: written.version, term }));
    return { ok: true, objects: [written] };
  }
}
