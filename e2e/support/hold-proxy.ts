/** A TCP proxy that can keep what clients say and deliver it much later, also when they have gone. Loopback only. */
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

const LINGER_MS = 3000;

export class HoldProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What is to be delivered, in order; undefined: nothing is kept back. */
  #held: (() => void)[] | undefined;

  private constructor(target: URL) {
    this.#server = createServer((client) => this.#accept(client, target));
  }

  static async start(target: URL): Promise<HoldProxy> {
    const proxy = new HoldProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on nothing that clients say arrives; what servers say still does. */
  hold(): void {
    this.#held ??= [];
  }

  /** Everything arrives that was kept back, and goes on arriving. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const deliver of held) deliver();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket, { hostname, port }: URL): void {
    const server = connect(Number(port), hostname);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    }
    client.on('data', (bytes) => this.#inOrder(() => void server.write(bytes)));
    // The word that a client has gone is later still, so that a server does what was asked before.
    client.on('close', () => this.#inOrder(() => void setTimeout(() => server.end(), LINGER_MS)));
    server.on('data', (bytes) => void (client.writable && client.write(bytes)));
    server.on('close', () => client.destroy());
  }

  #inOrder(deliver: () => void): void {
    if (this.#held) this.#held.push(deliver);
    else deliver();
  }
}
