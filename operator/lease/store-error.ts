/**
 * What went wrong with a store, in the few words that a caller may act on. Messages name the store's own answer and
 * never an address's user, a password or a value.
 */

export type StoreErrorKind = 'timeout' | 'unreachable' | 'unauthorized' | 'readonly' | 'other';

/** A call to a store failed. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** After `timeout` and `unreachable` a write may have happened, or may still happen. */
  readonly kind: StoreErrorKind;
  constructor(kind: StoreErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
