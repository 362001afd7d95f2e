/** It was asked for in a way that means nothing. */
export class UsageError extends Error {}
