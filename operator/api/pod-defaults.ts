/** What pods get that neither the spec nor its podTemplate says. */
export const POD_DEFAULTS = ['kubernetes', 'restricted'] as const;

/** `kubernetes`: nothing, as in a plain Deployment. `restricted`: what the restricted Pod Security Standard asks for. */
export type PodDefaults = (typeof POD_DEFAULTS)[number];
