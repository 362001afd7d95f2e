/** An HTTP proxy that passes connections on (CONNECT) to one server, whatever name was asked for. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export class ConnectProxy implements AsyncDisposable {
  /** `host:port` of each CONNECT, and who asked. */
  readonly asked: { readonly target: string; readonly authorization: string | undefined }[] = [];
  readonly #server = createServer((_, response) => response.writeHead(405).end());
  readonly #sockets = new Set<Socket>();

  static async start(port: number): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(port);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(port: number) {
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#server.on('connect', (request, client, head: Buffer) => {
      this.asked.push({ target: request.url ?? '', authorization: request.headers['proxy-authorization'] });
      const server = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        server.write(head);
        client.pipe(server).pipe(client);
      });
      this.#keep(server);
      server.on('close', () => client.destroy());
    });
  }

  url(account = ''): string {
    return `http://${account}127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket.on('error', () => {}));
  }
}
