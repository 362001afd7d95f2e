/** What the words mean that programs may compare. Each word of the source has its line here, and each line a word. */
import type { exitCodes } from '../../operator/cli/exit-codes.ts';

export const CONDITION_TYPES: Readonly<Record<string, string>> = {
  Ready: 'Always there. `True`: the workload is as the spec asks. `False`: not yet, not any more, or it cannot be.',
  Reconciling: 'Only while `True`: the operator or Kubernetes is at work, and Ready is `False`.',
  Stalled: 'Only while `True`: nothing goes on until a person changes something, and Ready is `False`.',
  Unclaimed: 'Only while `True`: no tenant acts on the workload.',
};

export const STATES: Readonly<Record<string, string>> = {
  done: 'Ready',
  working: 'not Ready, Reconciling',
  stalled: 'not Ready, Stalled',
  resting: 'Ready as it was before',
};

export const CONDITION_REASONS: Readonly<Record<string, string>> = {
  BackOff: 'The process ended and restarts after a back-off that grows with each failure.',
  ClaimCannotShrink: 'The spec requests a smaller volume. Nothing was changed.',
  ClaimExpanding: 'The storage is expanding the volume of a claim.',
  ClaimExpansionFailed: 'The storage reports that it could not expand the volume and keeps trying.',
  ClaimExpansionRefused: 'The API server rejected the expansion of the claim, or the claim cannot be read.',
  ClaimNotExpandable: 'The StorageClass of the claim does not allow expansion.',
  ClaimNotManaged: 'A claim with the expected name was not created for this workload, so it is not expanded.',
  Claimed: 'The tenant has just claimed a workload that had no tenant.',
  ClaimedByTwoTenants: 'Several tenants claim the namespace, and the workload has no tenant label.',
  Completed: 'The process succeeded. Change the spec to run it again.',
  Conflict: 'An object with the required name exists and is not managed by this operator.',
  CrashLoopBackOff: 'The kubelet waits before it starts a container that keeps failing.',
  Creating: 'The objects of the workload are being created.',
  Finishing: 'The main container ended; other containers of the pod are still running.',
  GracePeriodTooLong: 'The spec requests a longer grace period than `maxGracePeriod` of the configuration allows.',
  ImmutableField: 'The spec changes a field that a StatefulSet cannot change. Nothing was changed.',
  InvalidSpec: 'The spec is not valid; the message names the field.',
  LastRunFailed: 'The last run of the cron job failed.',
  MaxRestartsExceeded: 'The process reached its restart limit (`maxRestarts`). Change the spec to start it again.',
  Pending: 'The pod is waiting to be scheduled.',
  PodRefused: 'The API server, a webhook or a quota rejected the pod; the operator tries again.',
  PodsRefused: 'Kubernetes cannot create a pod of the workload and tries again.',
  ProcessFailed: 'The process failed and `restartPolicy` is `Never`. Change the spec to run it again.',
  Progressing: 'Pods are being created, replaced or becoming ready.',
  ReadinessTimeout: 'The pods did not become ready within `readinessTimeout`.',
  Restarting: 'The process, or a container of a pod, ended and is restarting.',
  Running: 'All pods run and are ready.',
  ScaledToZero: '`spec.replicas` is 0, and there is no pod.',
  Scheduled: 'The schedule is installed, and the last run did not fail.',
  Standby: 'Another cluster runs the workload, or there is no leader. The workload is stopped here, as it should be.',
  Starting: 'The kubelet is starting the pod.',
  StopRefused: 'The permit of this cluster has expired, but the API server refuses to stop an object of the workload.',
  Stopping:
    'A pod or another object is terminating; in a cluster whose permit has expired, other clusters wait for it.',
  Suspended: '`spec.suspend` is true, and nothing runs.',
  TenantNotHere: 'The tenant of the workload has no controller in this cluster that watches the namespace.',
  Unclaimed: 'The tenant of the workload is unknown: several are possible.',
  Unschedulable: 'The scheduler finds no node for the pod.',
  WaitingForCluster:
    'A pod of the workload is still terminating in another cluster; the workload starts here afterwards.',
  WaitingForNode: 'A node is unreachable, so its pod may still be running; no replacement is started.',
  WaitingForPredecessor:
    'An object still belongs to a deleted workload with the same name; the operator waits for its removal.',
  WaitingForTenant: 'An object still belongs to another tenant; the operator waits for that tenant to stop it.',
  '{kind}Invalid':
    'The API server rejected the child as invalid; `{kind}` is its kind, for example `DeploymentInvalid` or `PodInvalid`.',
  '{kind}Refused': 'The API server, a webhook or a quota rejected the child; the operator tries again.',
};

export const EVENT_REASONS: Readonly<Record<string, string>> = {
  ConfigConflict: 'A workload of the configuration file exists already and was not created from the file.',
  LedgerCorrected: 'The record of a cron job was ahead of the clock and was corrected.',
  PodAdopted: 'A new leader adopted the pod without a restart.',
  PodCreated: 'The pod of a process was created.',
  PodPurged: 'The pod was removed after a person confirmed that it had stopped.',
  PodReplaced: 'The pod was stopped so that the next one can start.',
  PodStopped: 'The pod was stopped and is not replaced.',
  RunInterrupted: 'A run that a person had started was stopped together with its cluster and is not restarted.',
  RunRefused: 'The API server rejected a Job.',
  RunUnknown: 'A run may have started already; it is not started again.',
  RunsSkipped: 'Runs that were due are not started; the note lists them with the reason.',
  StampCorrected: 'An object carried an annotation that was not written by a controller; it was corrected.',
  StopRefused: 'The permit of this cluster has expired, but the API server refuses to stop an object of the workload.',
  WaitingForNode:
    'A node is unreachable, so a pod may still be running. The note contains the command that confirms its end.',
  '{kind}Adopted': 'A new leader adopted the child without changes.',
  '{kind}Created': 'The child was created.',
  '{kind}Removed': 'The child was removed, because it had never started and the spec has changed since.',
  '{kind}Updated': 'The child was updated because the spec or, by another client, the child had changed.',
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
  bad_request: 'The request cannot be understood; `detail` says why.',
  internal: 'Something failed inside; the log has the error.',
  leader_changed: 'The leader or the term is not the expected one any more.',
  method_not_allowed: 'The path exists, but not with this method; the header `Allow` lists those that work.',
  no_candidate: 'There is no leader, or nobody who could take over.',
  not_found: 'The path is unknown.',
  starting: 'The controller has not started completely yet.',
  store_unreachable: 'The store does not answer.',
  unauthorized: 'The bearer token is missing or wrong.',
};

export const EXIT_CODES: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'The verb did what it is for, and there is nothing to complain about.',
  failed: 'It failed; or what was checked is wrong, or something is left to do. `diff`: something would change.',
  wrongInput: 'Wrong usage or configuration, or a Node.js that is too old. `diff`: it could not be determined.',
};
