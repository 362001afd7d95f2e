/** Whether traffic to this host stays on the machine. A name or an address, as a URL or without brackets; or a Unix socket's path. */
export function isLocalHost(host: string): boolean {
  return host.startsWith('/') || /^(?:localhost|\[?::1\]?|127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/.test(host);
}
