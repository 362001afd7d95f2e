/** Ways to change one thing of a spec. */
export type Spec = Readonly<Record<string, unknown>>;
export type Change = (spec: Spec) => Spec;

export const set =
  (more: Spec): Change =>
  (spec) => ({ ...spec, ...more });
export const pod = (spec: Spec): Change => set({ podTemplate: { spec } });
export const main = (more: Spec): Change => pod({ containers: [{ name: 'main', ...more }] });
export const without =
  (field: string): Change =>
  (spec) =>
    Object.fromEntries(Object.entries(spec).filter(([key]) => key !== field));
export const values = (field: string, ...all: readonly unknown[]): readonly (readonly [string, Change])[] =>
  all.map((value) => [`${field}: ${JSON.stringify(value)?.slice(0, 60)}`, set({ [field]: value })]);
