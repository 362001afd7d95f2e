/** The servers that make up a control plane, and their command lines. */

import { join } from 'node:path';
import { freePort } from '../../operator/lib/testing/free-port.ts';
import { auditLog, auditPolicy } from './audit-policy.ts';

export const SERVERS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
export type Server = (typeof SERVERS)[number];

/** Starts of command lines: our one binary with the server's name, or a binary of its own. */
export type Programs = Readonly<Partial<Record<Server, readonly string[]>>>;

export interface ControlPlane {
  readonly folder: string;
  readonly address: string;
  readonly ports: Ports;
  /** 'a.b.c.d/16'; its first address is the API server's. */
  readonly services: string;
}

export interface Ports {
  readonly api: number;
  readonly etcd: number;
  readonly peer: number;
}

/** In a namespace of its own a cluster has all ports to itself. */
export const USUAL_PORTS: Ports = { api: 6443, etcd: 2379, peer: 2380 };

/** For servers on loopback. They are free now; a program that takes one before the server does makes that one's start fail. */
export async function freePorts(): Promise<Ports> {
  const [api, etcd, peer] = await Promise.all([freePort(), freePort(), freePort()]);
  return { api, etcd, peer };
}

/** Each server's flags. */
export function serverFlags(plane: ControlPlane, programs: Programs): Record<Server, string[]> {
  return {
    etcd: etcdFlags(plane),
    'kube-apiserver': apiServerFlags(plane, programs),
    'kube-controller-manager': controllerManagerFlags(plane),
    'kube-scheduler': schedulerFlags(plane),
  };
}

function etcdFlags(plane: ControlPlane): string[] {
  const etcd = etcdUrl(plane);
  const peer = `http://127.0.0.1:${plane.ports.peer}`;
  return [
    `--data-dir=${join(plane.folder, 'etcd')}`,
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--log-level=warn',
    '--unsafe-no-fsync', // the data need not survive the machine
  ];
}

function apiServerFlags(plane: ControlPlane, programs: Programs): string[] {
  const pki = (name: string): string => join(plane.folder, 'pki', name);
  const loopback = plane.address === '127.0.0.1';
  return [
    `--etcd-servers=${etcdUrl(plane)}`,
    `--secure-port=${plane.ports.api}`,
    // Endpoints may not be loopback addresses: the server would complain without end.
    ...(loopback
      ? ['--bind-address=127.0.0.1', '--endpoint-reconciler-type=none']
      : [`--advertise-address=${plane.address}`]),
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--cert-dir=${join(plane.folder, 'apiserver')}`,
    '--anonymous-auth=false',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    // Without a controller manager nobody makes the account that this plugin gives to every pod.
    ...(programs['kube-controller-manager'] ? [] : ['--disable-admission-plugins=ServiceAccount']),
    '--allow-privileged=true',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki('tokens.pub')}`,
    `--service-account-signing-key-file=${pki('tokens.key')}`,
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--service-cluster-ip-range=${plane.services}`,
    '--enable-aggregator-routing=true', // no kube-proxy here: webhooks' services are reached at their pods
    '--default-not-ready-toleration-seconds=3',
    '--default-unreachable-toleration-seconds=3',
    `--audit-policy-file=${auditPolicy(plane.folder)}`,
    `--audit-log-path=${auditLog(plane.folder)}`,
    '--profiling=false',
  ];
}

function controllerManagerFlags(plane: ControlPlane): string[] {
  const pki = (name: string): string => join(plane.folder, 'pki', name);
  return [
    `--kubeconfig=${join(plane.folder, 'kube-controller-manager.kubeconfig')}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${pki('tokens.key')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    '--kube-api-qps=300', // its default of 20 doubles the time to the first pod
    '--kube-api-burst=500',
    '--node-monitor-period=1s',
    '--node-monitor-grace-period=6s',
    '--profiling=false',
  ];
}

function schedulerFlags(plane: ControlPlane): string[] {
  return [
    `--kubeconfig=${join(plane.folder, 'kube-scheduler.kubeconfig')}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--kube-api-qps=300',
    '--kube-api-burst=500',
    '--profiling=false',
  ];
}

function etcdUrl({ ports }: ControlPlane): string {
  return `http://127.0.0.1:${ports.etcd}`;
}
