/** How a controller is run: as from a checkout, and with the options of its container. */

export interface Variant {
  readonly label: string;
  readonly env: Readonly<Record<string, string>>;
}

export const VARIANTS: readonly Variant[] = [
  { label: '', env: {} },
  { label: ', container options', env: { NODE_OPTIONS: '--max-semi-space-size=1', MALLOC_ARENA_MAX: '1' } },
];
