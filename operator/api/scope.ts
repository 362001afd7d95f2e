/** How many clusters share a tenant: one, or several. Once several, always several. */
export type Scope = 'single' | 'multi';
