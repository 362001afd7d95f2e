/** Set by the operator on every container; a user's value of these names is refused. */
export const RESERVED_ENV = ['HIGHLANDER_CLUSTER', 'HIGHLANDER_FENCING_TOKEN', 'HIGHLANDER_TENANT'] as const;
