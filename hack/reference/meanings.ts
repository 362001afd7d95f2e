/** What the words mean that programs may compare. Each word of the source has its line here, and each line a word. */
import type { exitCodes } from '../../operator/cli/exit-codes.ts';

export const CONDITION_TYPES: Readonly<Record<string, string>> = {
  Ready: 'Always present. `True`: the workload matches its spec. `False`: not yet, no longer, or it cannot.',
  Reconciling: 'Only while `True`: the operator or Kubernetes is making a change, and Ready is `False`.',
  Stalled: 'Only while `True`: a person has to change something, and Ready is `False`.',
  Unclaimed: 'Only while `True`: the workload is not managed by any tenant.',
};

export const STATES: Readonly<Record<string, string>> = {
  done: 'Ready',
  working: 'not Ready, Reconciling',
  stalled: 'not Ready, Stalled',
  resting: 'Ready as it was before',
};

export const CONDITION_REASONS: Readonly<Record<string, string>> = {
  BackOff: 'The process ended and is started again after a pause, which grows with each failure.',
  ClaimCannotShrink: 'A volume was made smaller in the spec. Nothing was changed.',
  ClaimExpanding: 'The storage is enlarging the volume of a claim.',
  ClaimExpansionFailed: 'The storage reports that it could not enlarge the volume; it keeps trying.',
  ClaimExpansionRefused: 'The API server does not let the claim grow, or does not let it be read.',
  ClaimNotExpandable: 'The StorageClass of the claim does not allow expansion.',
  ClaimNotManaged: 'A claim with the expected name was not created for this workload, so it is not expanded.',
  Claimed: 'The tenant has just taken over an unclaimed workload.',
  ClaimedByTwoTenants: 'Several tenants claim the namespace, and the workload has no label that names one of them.',
  Completed: 'The process succeeded and is not run again until the spec changes.',
  Conflict: 'An object with the required name already exists and is not managed by this operator.',
  CrashLoopBackOff: 'The kubelet waits before it starts a container that keeps failing.',
  Creating: 'The objects of the workload are about to be created.',
  Finishing: 'The main container ended; other containers of the pod still run.',
  GracePeriodTooLong: 'The spec specifies a longer grace period than `maxGracePeriod` of the configuration allows.',
  ImmutableField: 'The spec changes a field that a StatefulSet cannot change. Nothing was changed.',
  InvalidSpec: 'The spec is not valid; the message names the field.',
  LastRunFailed: 'The last run of the cron job failed.',
  MaxRestartsExceeded:
    'The process needed more restarts than `maxRestarts` allows and stays stopped until the spec changes.',
  Pending: 'The pod waits for the scheduler to choose a node.',
  PodRefused: 'The API server, or a webhook or a quota, does not let the pod in; it is tried again.',
  PodsRefused: 'Kubernetes cannot create a pod of the workload; it tries again.',
  ProcessFailed: 'The process failed, and `restartPolicy: Never` forbids another run until the spec changes.',
  Progressing: 'Pods are being created, replaced or becoming ready.',
  ReadinessTimeout: 'The pods did not become ready within `readinessTimeout`.',
  Restarting: 'The process, or a container of a pod, ended and is started again.',
  Running: 'All pods run and are ready.',
  ScaledToZero: '`spec.replicas` is 0, and the workload has no pods.',
  Scheduled: 'The schedule is installed, and the last run did not fail.',
  Standby: 'Another cluster runs the workload, or there is no leader. This cluster runs no pods of the workload.',
  Starting: 'The kubelet is starting the pod.',
  StopRefused: 'The API server rejects stopping an object that must no longer run here.',
  Stopping:
    'A pod or another object is terminating; in a cluster whose permit has expired, other clusters wait for it.',
  Suspended: '`spec.suspend` is true, and the workload has no pods.',
  TenantNotHere: 'The tenant of the workload has no controller in this cluster that watches the namespace.',
  Unclaimed: 'The workload has no label that names one of several tenants.',
  Unschedulable: 'The scheduler finds no node for the pod.',
  WaitingForCluster:
    'A pod of the workload is still terminating in another cluster; the workload starts here afterwards.',
  WaitingForNode: 'A node is unreachable, so its pod may still be running; no replacement is started.',
  WaitingForPredecessor:
    'An object still belongs to a deleted workload with the same name; the operator waits for its removal.',
  WaitingForTenant: 'An object still belongs to another tenant, which has to stop it first.',
  '{kind}Invalid':
    'The API server calls the child invalid; `{kind}` is its kind, for example `DeploymentInvalid` or `PodInvalid`.',
  '{kind}Refused': 'The API server, or a webhook or a quota, does not let the child in; it is tried again.',
};

export const EVENT_REASONS: Readonly<Record<string, string>> = {
  ConfigConflict: 'A workload of the configuration file already exists and was not created from the file.',
  LedgerCorrected: 'The record of a cron job was ahead of the clock and was put right.',
  PodAdopted: 'A new leader took over the pod without a restart.',
  PodCreated: 'The pod of a process was created.',
  PodPurged: 'The pod was removed after a person confirmed that it had stopped.',
  PodReplaced: 'The pod was stopped so that the next one can start.',
  PodStopped: 'The pod was stopped, and none follows.',
  RunInterrupted: 'A run that a person had started was stopped together with its cluster and is not repeated.',
  RunRefused: 'The API server rejects the creation of a Job.',
  RunUnknown: 'Whether a run has begun is not known any more; it is not begun again.',
  RunsSkipped: 'Runs that were due are not started; the note lists them with the reason.',
  StampCorrected: 'An object carried an annotation that no controller had written; it was put right.',
  StopRefused: 'The API server rejects stopping an object that must no longer run here.',
  WaitingForNode: 'A node does not report whether a pod has stopped. The note contains the command that confirms it.',
  '{kind}Adopted': 'A new leader took over the child as it is.',
  '{kind}Created': 'The child was created.',
  '{kind}Removed': 'The child was removed, because it had never started and the spec has changed since.',
  '{kind}Updated': 'The child was updated, because the spec or the child had been changed.',
};

/** Where the source passes a reason on (`file: expression`), and which ones these are; '' where they are listed already. */
export const PASSED_ON: Readonly<Record<string, string>> = {
  'child-events.ts: reason': '',
  'child-look.ts: reason': '',
  'events.ts: reason': '',
  'events.ts: reason.slice(0, 128)': '',
  'look.ts: reason': '',
  'pod-trouble.ts: reason':
    'What the kubelet gives as the reason why a container does not start, for example `ImagePullBackOff` or `CreateContainerConfigError`. Shown as: not Ready, Reconciling.',
  'runs.ts: reason': '',
};

export const PROBLEM_CODES: Readonly<Record<string, string>> = {
  api_disabled: 'No token is configured, so the leadership API is off.',
  bad_request: 'The request is invalid; `detail` has the reason.',
  internal: 'Something failed inside; the log has the error.',
  leader_changed: 'The leader or the term is not the expected one any more.',
  method_not_allowed: 'The path exists, but not with this method; the header `Allow` lists those that work.',
  no_candidate: 'There is no leader, or no controller that could take over.',
  not_found: 'The path does not exist.',
  starting: 'The controller has not started completely yet.',
  store_unreachable: 'The store does not answer.',
  unauthorized: 'The bearer token is missing or wrong.',
};

export const EXIT_CODES: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'The verb succeeded and found no problems.',
  failed: 'The verb failed, found problems, or left something to do. `diff`: there are changes.',
  wrongInput: 'Wrong usage or configuration, or a Node.js that is too old. `diff`: it could not be determined.',
};
