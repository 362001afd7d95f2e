/** A gRPC server that follows a script: what the emulator, which trusts everybody, cannot do. */
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { ServerAddress } from './fault-proxy.ts';

/** Code and message of gRPC, or the only field of the message that is answered: text in field 1. */
export type Answer = { readonly code: number; readonly message: string } | { readonly name: string };

export interface ScriptedServer extends AsyncDisposable {
  readonly address: ServerAddress;
}

/** `answer` is asked with the method's name, `ExecuteSql` for instance. */
export async function scriptedServer(answer: (method: string) => Answer): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    reply(stream, answer(String(headers[':path']).split('/').at(-1) ?? ''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(stream: ServerHttp2Stream, answer: Answer): void {
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  if ('code' in answer) {
    const status = { 'grpc-status': String(answer.code), 'grpc-message': encodeURIComponent(answer.message) };
    stream.respond({ ...head, ...status }, { endStream: true });
    return;
  }
  const field = Buffer.concat([Buffer.from([0x0a, answer.name.length]), Buffer.from(answer.name)]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(field.length, 1);
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([frame, field]));
}
