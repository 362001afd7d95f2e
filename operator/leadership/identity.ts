/** What a controller is called: the `id` of its configuration, and what makes it unique per start of a process. */
import { randomBytes } from 'node:crypto';

/** A name that no other process has: `id` and eight random hexadecimal digits. */
export function newIdentity(id: string): string {
  return `${id}-${randomBytes(4).toString('hex')}`;
}

/** By its identity, or by the `id` alone. */
export function isCalled(identity: string, name: string): boolean {
  return identity === name || (identity.startsWith(name) && /^-[0-9a-f]{8}$/.test(identity.slice(name.length)));
}
