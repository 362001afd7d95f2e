/** A workload of the configuration file, as the custom resource that it stands for. */
export interface DeclaredWorkload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Absent: `workloadCRDRef` names a custom resource that others make. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Only made when there is no such custom resource, and never changed: others may keep it. */
  readonly isFallback: boolean;
}
