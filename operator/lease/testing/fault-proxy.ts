/** A TCP proxy that misbehaves on demand: what a network does to a store's connections. Loopback only. */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes of this connection vanish, for good. */
  dead: boolean;
}

export class FaultProxy implements AsyncDisposable {
  readonly #target: ServerAddress;
  readonly #listener = createServer((client) => this.#accept(client));
  readonly #pairs = new Set<Pair>();
  #silent = false;
  #refusing = false;
  #delayMs = 0;

  private constructor(target: ServerAddress) {
    this.#target = target;
  }

  static async start(target: ServerAddress): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await new Promise<void>((resolve) => proxy.#listener.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): ServerAddress {
    return { host: '127.0.0.1', port: (this.#listener.address() as AddressInfo).port };
  }

  /** Connections that the client's side still holds open. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Each packet, either way, takes `ms` longer. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Old and new connections stay open, no byte passes: a cut cable, a dropping firewall. */
  blackhole(): void {
    this.#silent = true;
    this.halfOpen();
  }

  /** Existing connections are dead without a word, new ones work: a server or a NAT that forgot them. */
  halfOpen(): void {
    for (const pair of this.#pairs) {
      pair.dead = true;
      pair.server.destroy();
    }
  }

  /** Existing connections are reset, new ones as soon as they are made. */
  reset(): void {
    this.#refusing = true;
    for (const { client } of this.#pairs) client.resetAndDestroy();
  }

  /** New connections work again; dead ones stay dead. */
  restore(): void {
    this.#silent = false;
    this.#refusing = false;
    this.#delayMs = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client } of this.#pairs) client.destroy();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const pair: Pair = { client, server: connect(this.#target.port, this.#target.host), dead: this.#silent };
    pair.server.on('error', () => {});
    this.#pairs.add(pair);
    client.on('close', () => {
      this.#pairs.delete(pair);
      pair.server.destroy();
    });
    // Not before what the server said last.
    pair.server.on('close', () => setTimeout(() => pair.dead || client.destroy(), this.#delayMs));
    this.#pump(pair, client, pair.server);
    this.#pump(pair, pair.server, client);
  }

  #pump(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      const pass = () => {
        if (!pair.dead && to.writable) to.write(bytes);
      };
      if (this.#delayMs > 0) setTimeout(pass, this.#delayMs);
      else pass();
    });
  }
}
