/**
 * What a store must do for the lease to be safe on it; each driver runs this against its real server. A test that a
 * driver cannot pass is a driver that must not be used.
 */
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { Bench, type StoreHarness } from './conformance-bench.ts';
import { cellTests, listTests } from './conformance-cells.ts';
import { credentialTests, hintFaultTests, networkFaultTests, processFaultTests } from './conformance-faults.ts';
import { hintTests } from './conformance-hints.ts';
import { endTests, lossTests } from './conformance-losses.ts';
import { clockTests, processTests } from './conformance-processes.ts';
import { raceTests } from './conformance-races.ts';

export type { StoreHarness } from './conformance-bench.ts';

export interface Conformance {
  /** No server and no credentials, hence no faults of theirs. */
  readonly embedded?: boolean;
  /** Milliseconds within which a write is hinted at as a rule; default: 200. */
  readonly hintMs?: number;
  /** Why there is no such server on this machine: the tests are skipped. */
  readonly missing?: string | undefined;
}

export function describeCellStore(
  name: string,
  startHarness: () => Promise<StoreHarness>,
  options: Conformance = {},
): void {
  const { missing } = options;
  describe.skipIf(missing)(`${name} as a cell store${missing ? ` (${missing})` : ''}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = new Bench(await startHarness());
    }, 60_000);
    afterEach(() => bench.clear());
    afterAll(() => bench?.harness[Symbol.asyncDispose](), 30_000);
    const current = () => bench;

    describe('cells', () => {
      cellTests(current);
    });
    describe('races', () => {
      raceTests(current);
    });
    describe('processes', () => {
      processTests(current);
    });
    describe('listing', () => {
      listTests(current);
    });
    describe('hints', () => {
      hintTests(current, options.hintMs ?? 200);
    });
    describe('losses', () => {
      lossTests(current);
    });
    describe('ends', () => {
      endTests(current);
    });
    if (options.embedded) return;
    describe('clocks', () => {
      clockTests(current);
    });
    describe('faults', () => {
      credentialTests(current);
      processFaultTests(current);
      networkFaultTests(current);
      hintFaultTests(current);
    });
  });
}
