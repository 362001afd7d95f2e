/** A member's cache of the objects, kept warm as an informer keeps one, and its way to write them. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../../operator/lib/clock.ts';
import type { Permit } from '../../../operator/leadership/permit.ts';
import type { PermitStore } from '../../../operator/leadership/ports.ts';
import { receive, send, type Reply, type Request, type StoredObject } from './wire.ts';

const LIST_EVERY_MS = 100;

type Question = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

export class Objects {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #known = new Map<string, StoredObject>();
  #asked = 0;
  #synced = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    receive<Reply>(socket, (reply) => {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  static connect(port: number): Promise<Objects> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Objects(socket)));
      socket.setNoDelay(true);
      socket.once('error', reject);
      // Whoever started us is gone: nobody else would end us.
      socket.once('close', () => process.exit(1));
    });
  }

  ready(): boolean {
    return this.#synced;
  }

  highestStamp(): number {
    return Math.max(0, ...[...this.#known.values()].map(({ term }) => term));
  }

  get(name: string): StoredObject {
    return this.#known.get(name) ?? { name, version: 0, term: 0 };
  }

  /** Lists again and again until the signal fires. */
  async follow(clock: Clock, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#observe(await this.#ask({ op: 'list' }));
      this.#synced = true;
      await clock.sleep(LIST_EVERY_MS, signal).catch(() => {});
    }
  }

  /** Hands the request to the kernel before it returns. Resolves once it was answered, accepted or not. */
  put(by: string, object: StoredObject): Promise<void> {
    return this.#ask({ op: 'put', by, object }).then((reply) => this.#observe(reply));
  }

  /** Kept beside the objects. */
  readonly permits: PermitStore = {
    read: async () => (await this.#ask({ op: 'read permit' })).kept,
    write: async (permit: Permit, expected: string | undefined) =>
      (await this.#ask({ op: 'write permit', permit, expected })).version,
  };

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #ask(question: Question): Promise<Reply> {
    this.#asked += 1;
    const id = this.#asked;
    const answered = new Promise<Reply>((resolve) => void this.#waiting.set(id, resolve));
    send(this.#socket, { id, ...question });
    return answered;
  }

  /** Never older than what was seen before. */
  #observe({ objects = [] }: Reply): void {
    for (const object of objects)
      if (object.version >= this.get(object.name).version) this.#known.set(object.name, object);
  }
}
