/** Exit codes of the process. `diff` uses 1 for "something would change" and 2 for "could not be determined". */
export const exitCodes = { done: 0, failed: 1, wrongInput: 2 } as const;
