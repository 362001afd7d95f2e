/** The public names of this product: group, labels, annotations, finalizer, field managers. Changing one breaks users. */
export const GROUP = 'highlander.plexobject.io';
/** Version of the API that is served and stored. */
export const VERSION = 'v1';
/** The `apiVersion` of all custom resources of this product. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Tenant of a controller whose configuration names none. */
export const DEFAULT_TENANT = 'default';

/** Label keys. */
export const labels = {
  /** On a custom resource: picks its tenant. On a child: whose it is. */
  tenant: `${GROUP}/tenant`,
  /** On a child: the kind and the name of the workload that made it. */
  kind: `${GROUP}/kind`,
  name: `${GROUP}/name`,
  /** On a custom resource: what it was declared in, and is kept by. */
  declaredIn: `${GROUP}/declared-in`,
} as const;

/** Value of the label `declaredIn`: the configuration file of the tenant's controllers. */
export const DECLARED_IN_CONFIG = 'config';

/** Annotation keys. */
export const annotations = {
  /** Term of the last write to the object: nobody with a lower term may touch it. */
  term: `${GROUP}/term`,
  /** Term in which the workload was last activated: the value of HIGHLANDER_FENCING_TOKEN. */
  activationTerm: `${GROUP}/activation-term`,
  /** Hash of the rendered template, without the fencing token. */
  templateHash: `${GROUP}/template-hash`,
  /** Hash of everything that was last applied to a child, without stamps and fencing token. */
  appliedHash: `${GROUP}/applied-hash`,
  /** On a CronJob whose runs are claimed: up to when all is decided, and when the last run was due. Milliseconds since the epoch. */
  lastClaimed: `${GROUP}/last-claimed`,
  lastRun: `${GROUP}/last-run`,
  /** Generation of the custom resource that the child was last brought up to. */
  generation: `${GROUP}/generation`,
  /** On a custom resource, set by a person: the pod with this uid has stopped, although no kubelet said so. */
  confirmStopped: `${GROUP}/confirm-stopped`,
  /** On a custom resource: any new value asks for a reconcile now. */
  reconcileRequestedAt: `${GROUP}/reconcile-requested-at`,
} as const;

/** Keeps the name of a process's pod taken until the kubelet said that its containers have ended. */
export const POD_FINALIZER = `${GROUP}/stopped`;

/** Names under which the operator owns fields in server-side apply. */
export const fieldManagers = {
  children: 'highlander',
  status: 'highlander-status',
} as const;
