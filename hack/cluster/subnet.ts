/** Addresses: each checkout that runs clusters has one /24 on a bridge of its own, away from everything the host can reach. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { cacheFolder, CHECKOUT, runFolder } from './paths.ts';
import { run } from './shell.ts';

/** Tried in this order: a company's VPN may have taken all of 10.0.0.0/8. The second is reserved for tests of networks. */
const BASES = ['10.250', '198.18', '172.29'] as const;
const SLOTS_PER_BASE = 250;

/** 'BASE.N.0/24' as a number, from which all names and addresses of a checkout follow. */
export type Slot = number;

export const MAX_CLUSTERS = 15;
export const MAX_NODES = 14;

export function slotPrefix(slot: Slot): string {
  return `${BASES[Math.floor(slot / SLOTS_PER_BASE)] ?? BASES[0]}.${slot % SLOTS_PER_BASE}`;
}

export function bridgeAddress(slot: Slot): string {
  return `${slotPrefix(slot)}.1`;
}

/** A cluster has 16 addresses: the first is its API server's, the others are its nodes'. */
export function clusterAddress(slot: Slot, cluster: number, node = 0): string {
  return `${slotPrefix(slot)}.${cluster * 16 + node}`;
}

/** The first slot that nobody has claimed and that no route of the host overlaps. */
export function chooseSlot(claimed: ReadonlySet<Slot>, routes: readonly string[]): Slot {
  for (let slot = 0; slot < BASES.length * SLOTS_PER_BASE; slot++) {
    if (!claimed.has(slot) && !routes.some((route) => overlaps(route, `${slotPrefix(slot)}.0/24`))) return slot;
  }
  throw new Error(
    `no free subnet in ${BASES.map((base) => `${base}.0.0/16`).join(', ')}: run \`make cluster-down\` in checkouts that need none`,
  );
}

export function overlaps(one: string, other: string): boolean {
  const [a, b] = [parseCidr(one), parseCidr(other)];
  const shift = 32 - Math.min(a.bits, b.bits);
  return shift === 32 || a.address >>> shift === b.address >>> shift;
}

function parseCidr(text: string): { address: number; bits: number } {
  const [address = '', bits = '32'] = text.split('/');
  return { address: address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) >>> 0, bits: Number(bits) };
}

/** This checkout's slot, claimed for it if it has none. */
export async function claimSlot(): Promise<Slot> {
  return withLock('slots', async () => {
    const claims = readClaims();
    const own = claims.find((claim) => claim.checkout === CHECKOUT);
    if (own) return own.slot;
    const slot = chooseSlot(new Set(claims.map((claim) => claim.slot)), await hostRoutes());
    mkdirSync(slotFolder(), { recursive: true });
    writeFileSync(join(slotFolder(), String(slot)), CHECKOUT);
    return slot;
  });
}

export function ownSlot(): Slot | undefined {
  return readClaims().find((claim) => claim.checkout === CHECKOUT)?.slot;
}

export async function releaseSlot(): Promise<void> {
  await withLock('slots', async () => {
    const slot = ownSlot();
    if (slot !== undefined) rmSync(join(slotFolder(), String(slot)), { force: true });
  });
}

function slotFolder(): string {
  return join(cacheFolder(), 'slots');
}

/** Claims of checkouts that run nothing any more are forgotten. */
function readClaims(): Array<{ slot: Slot; checkout: string }> {
  if (!existsSync(slotFolder())) return [];
  const claims = readdirSync(slotFolder()).map((name) => ({
    slot: Number(name),
    checkout: readFileSync(join(slotFolder(), name), 'utf8'),
  }));
  return claims.filter(({ checkout }) => checkout === CHECKOUT || existsSync(runFolder(checkout)));
}

/** All that the host reaches by a route, or has an address in, save the default route. */
async function hostRoutes(): Promise<string[]> {
  const routes = JSON.parse(await run(['ip', '-j', '-4', 'route', 'show', 'table', 'all'])) as Array<{
    dst: string;
    type?: string;
  }>;
  return routes.map(({ dst }) => dst).filter((dst) => /^\d/.test(dst) && !dst.endsWith('/0') && dst !== '0.0.0.0');
}
