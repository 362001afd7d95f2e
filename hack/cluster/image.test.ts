import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { makeImage, parseReference, pushImage } from './image.ts';

test.each([
  ['busybox', 'library/busybox', 'latest'],
  ['busybox:1.36', 'library/busybox', '1.36'],
  ['docker.io/busybox', 'library/busybox', 'latest'],
  ['mycompany/data-processor:latest', 'mycompany/data-processor', 'latest'],
  ['localhost:5000/a/b:v1', 'a/b', 'v1'],
  ['registry.example.com/team/app:v1.2', 'team/app', 'v1.2'],
])('reads %s', (name, repository, tag) => {
  expect(parseReference(name)).toEqual({ repository, tag });
});

test.each(['', 'UPPER', 'a b', 'busybox@sha256:00'])('refuses "%s"', (name) => {
  expect(() => parseReference(name)).toThrow('not an image name');
});

test('pushes what the registry lacks, and then the manifest', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url?.replace(/sha256(:|%3A)[0-9a-f]+/, 'DIGEST')}`);
    const status = request.method === 'HEAD' ? 404 : 201;
    request.resume().on('end', () => response.writeHead(status, { location: '/upload/1?state=s' }).end());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const { port } = server.address() as AddressInfo;
    await pushImage(`127.0.0.1:${port}`, makeImage([{ path: 'a' }], { Cmd: ['a'] }), 'x/y:1');
  } finally {
    server.close();
  }
  const blob = ['HEAD /v2/x/y/blobs/DIGEST', 'POST /v2/x/y/blobs/uploads/', 'PUT /upload/1?state=s&digest=DIGEST'];
  expect(seen).toEqual([...blob, ...blob, 'PUT /v2/x/y/manifests/1']);
});
