/** Keys, certificates and kubeconfigs of everybody in a cluster. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKubeconfig } from './api.ts';
import { CertificateAuthority, tokenKeys, type Subject } from './certificates.ts';
import type { ControlPlane } from './control-plane.ts';

export interface NodeIdentity {
  readonly name: string;
  readonly address: string;
}

/** Writes keys, certificates and kubeconfigs for all users of the cluster. */
export function writeIdentities(plane: ControlPlane, cluster: string, nodes: readonly NodeIdentity[]): void {
  const authority = new CertificateAuthority(`highlander ${cluster}`);
  const tokens = tokenKeys();
  const server = `https://${plane.address}:${plane.ports.api}`;
  const write = (name: string, text: string): void =>
    writeFileSync(join(plane.folder, 'pki', name), text, { mode: 0o600 });
  const pair = (name: string, { certificate, key }: { certificate: string; key: string }): void => {
    write(`${name}.crt`, certificate);
    write(`${name}.key`, key);
  };
  const user = (name: string, subject: Subject): void => {
    const access = { server, authority: authority.certificate, ...authority.client(subject) };
    writeFileSync(join(plane.folder, `${name}.kubeconfig`), makeKubeconfig(cluster, name, access), { mode: 0o600 });
  };
  mkdirSync(join(plane.folder, 'pki'), { recursive: true });
  pair('ca', { certificate: authority.certificate, key: authority.key });
  write('tokens.key', tokens.privateKey);
  write('tokens.pub', tokens.publicKey);
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '127.0.0.1', plane.address];
  pair('apiserver', authority.server('kube-apiserver', [...names, firstAddress(plane.services)]));
  pair('kubelet-client', authority.client({ name: 'kube-apiserver', group: 'system:masters' }));
  user('admin', { name: 'admin', group: 'system:masters' });
  user('kube-controller-manager', { name: 'system:kube-controller-manager' });
  user('kube-scheduler', { name: 'system:kube-scheduler' });
  user('kube-proxy', { name: 'system:kube-proxy' });
  for (const node of nodes) {
    user(node.name, { name: `system:node:${node.name}`, group: 'system:nodes' });
    pair(node.name, authority.server(node.name, [node.name, node.address]));
  }
}

function firstAddress(cidr: string): string {
  return cidr.replace(/\.0\/\d+$/, '.1');
}
