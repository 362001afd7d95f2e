/** TCP proxies that misbehave on demand: what a network does to a store's connections. Loopback only. */
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

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
  readonly #targets: readonly ServerAddress[];
  readonly #listeners: readonly Server[];
  readonly #pairs = new Set<Pair>();
  #silent = false;
  #refusing = false;
  #delayMs = 0;

  private constructor(targets: readonly ServerAddress[]) {
    this.#targets = targets;
    this.#listeners = targets.map((target) => createServer((client) => this.#accept(client, target)));
  }

  /** Of several servers that tell of each other, each tells of the others' proxies instead. */
  static async start(...targets: readonly ServerAddress[]): Promise<FaultProxy> {
    const proxy = new FaultProxy(targets);
    for (const listener of proxy.#listeners) {
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    }
    return proxy;
  }

  /** Of the first server. */
  get address(): ServerAddress {
    return this.addresses[0] ?? { host: '', port: 0 };
  }

  /** In the order of the servers. */
  get addresses(): readonly ServerAddress[] {
    return this.#listeners.map((listener) => ({ host: '127.0.0.1', port: (listener.address() as AddressInfo).port }));
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
    await Promise.all(this.#listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  }

  #accept(client: Socket, target: ServerAddress): void {
    client.on('error', () => {});
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const pair: Pair = { client, server: connect(target.port, target.host), dead: this.#silent };
    pair.server.on('error', () => {});
    this.#pairs.add(pair);
    client.on('close', () => {
      this.#pairs.delete(pair);
      pair.server.destroy();
    });
    // Not before what the server said last.
    pair.server.on('close', () => setTimeout(() => pair.dead || client.destroy(), this.#delayMs));
    this.#pump(pair, client, pair.server, (bytes) => bytes);
    this.#pump(pair, pair.server, client, (bytes) => this.#redirected(bytes));
  }

  #pump(pair: Pair, from: Socket, to: Socket, change: (bytes: Buffer) => Buffer): void {
    from.on('data', (bytes) => {
      const pass = () => {
        if (!pair.dead && to.writable) to.write(change(bytes));
      };
      if (this.#delayMs > 0) setTimeout(pass, this.#delayMs);
      else pass();
    });
  }

  /** Redis names a port as text that ends a line. All ports have five digits, so that no length changes. */
  #redirected(bytes: Buffer): Buffer {
    if (this.#targets.length === 1) return bytes;
    const { addresses } = this;
    const text = bytes.toString('latin1').replace(/(?<!\d)\d{5}(?=\r\n)/g, (port) => {
      const index = this.#targets.findIndex((target) => String(target.port) === port);
      return String(addresses[index]?.port ?? port);
    });
    return Buffer.from(text, 'latin1');
  }
}
