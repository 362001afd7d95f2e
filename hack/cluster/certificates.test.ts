import { X509Certificate } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { CertificateAuthority } from './certificates.ts';

test('an authority issues certificates that it can be asked about', () => {
  const authority = new CertificateAuthority('test');
  const root = new X509Certificate(authority.certificate);
  const user = new X509Certificate(authority.client({ name: 'system:node:node1', group: 'system:nodes' }).certificate);
  expect(root.ca).toBe(true);
  expect(user.ca).toBe(false);
  expect(user.verify(root.publicKey)).toBe(true);
  expect(user.checkIssued(root)).toBe(true);
  expect(user.subject).toBe('O=system:nodes\nCN=system:node:node1');
});

test('both sides of a connection accept them', async () => {
  const authority = new CertificateAuthority('test');
  const own = authority.server('server', ['localhost', '127.0.0.1']);
  const user = authority.client({ name: 'admin', group: 'system:masters' });
  const server = createServer(
    { ca: authority.certificate, cert: own.certificate, key: own.key, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      socket.end(String(socket.getPeerCertificate().subject.CN));
    },
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const name = await new Promise<string>((done, fail) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: authority.certificate,
      cert: user.certificate,
      key: user.key,
    });
    socket.on('data', (data: Buffer) => done(data.toString())).on('error', fail);
  });
  server.close();
  expect(name).toBe('admin');
});
