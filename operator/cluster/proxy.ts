/** Which proxy leads to a server, by the variables that kubectl reads. A `proxy-url` of the kubeconfig wins over them. */
import { BlockList, isIP } from 'node:net';

/** Environment variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Address of the proxy; `undefined`: none. */
export function proxyFor(server: string, variables: Variables): string | undefined {
  const url = new URL(server);
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = valueOf(name, variables);
  if (!proxy || isDirect(url, valueOf('NO_PROXY', variables) ?? '')) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function valueOf(name: string, variables: Variables): string | undefined {
  return variables[name] || variables[name.toLowerCase()] || undefined;
}

/** Loopback is never behind a proxy. */
function isDirect(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || (isIP(host) !== 0 && loopback.check(host, familyOf(host)))) return true;
  return noProxy.split(',').some((entry) => matches(entry.trim().toLowerCase(), host, port));
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** `*`, a domain with all below it, `.domain` for those below only, an address or a network; each but a network may have a port. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === '' || entry === '*') return entry === '*';
  if (entry.includes('/')) return isInNetwork(entry, host);
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry);
  const wanted = (parts?.[1] ?? entry).replace(/^\[|\]$/g, '').replace(/^\*\./, '.');
  if (parts?.[2] !== undefined && parts[2] !== port) return false;
  if (wanted.startsWith('.')) return host.endsWith(wanted);
  return host === wanted || (isIP(host) === 0 && host.endsWith(`.${wanted}`));
}

function isInNetwork(network: string, host: string): boolean {
  const [address = '', bits = ''] = network.split('/');
  const width = Number(bits);
  if (isIP(address) === 0 || isIP(address) !== isIP(host) || !(width >= 0 && width <= (isIP(address) === 4 ? 32 : 128)))
    return false;
  const list = new BlockList();
  list.addSubnet(address, width, familyOf(address));
  return list.check(host, familyOf(host));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
