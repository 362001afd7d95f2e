import { describe, expect, it } from 'vitest';
import { problemsOf, resolve } from './testing/resolving.ts';

const REDIS = { HIGHLANDER_REDIS_ADDR: 'redis:6379' };
const load = (yaml: string) => resolve({ env: REDIS, yaml });

describe('workloads of the configuration file', () => {
  it('become custom resources of the tenant, in the namespace of the file unless they name one', () => {
    const { workloads } = load(`
tenant: team-a
namespace: apps
workloads:
  processes: [{name: one, image: busybox, env: {A: b}}]
  cronJobs: [{name: two, namespace: jobs, image: busybox, schedule: "@daily"}]`);
    const labels = { 'highlander.plexobject.io/tenant': 'team-a', 'highlander.plexobject.io/declared-in': 'config' };
    expect(workloads).toMatchObject([
      {
        kind: 'WorkloadProcess',
        metadata: { name: 'one', namespace: 'apps', labels },
        spec: { image: 'busybox', env: { A: 'b' } },
        isFallback: false,
      },
      { kind: 'WorkloadCronJob', metadata: { name: 'two', namespace: 'jobs', labels } },
    ]);
    expect(workloads[0]?.spec).not.toHaveProperty('name');
  });

  it('an entry that says nothing but its name is noted, and not applied', () => {
    const { workloads, notices } = load('workloads: {services: [{name: example-service}]}');
    expect(workloads).toEqual([]);
    expect(notices).toContain('workloads.services[0] (example-service) has no image and is not applied');
  });

  it('refer to a custom resource by workloadCRDRef, with or without a spec of their own', () => {
    const { workloads } = load(`
workloads:
  processes:
    - {name: one, workloadCRDRef: {apiVersion: highlander.plexobject.io/v1, kind: WorkloadProcess, name: other, namespace: apps}}
    - {name: two, image: busybox, workloadCRDRef: {name: two}}`);
    expect(workloads).toMatchObject([
      { metadata: { name: 'other', namespace: 'apps' }, isFallback: true },
      { metadata: { name: 'two', namespace: 'default' }, spec: { image: 'busybox' }, isFallback: true },
    ]);
    expect(workloads[0]).not.toHaveProperty('spec');
  });

  it('services accept the restartPolicy that never had an effect', () => {
    const { workloads, notices } = load('services: [{name: a, image: b, restartPolicy: Never}]');
    expect(workloads[0]?.spec).toEqual({ image: 'b' });
    expect(notices.join()).toContain('workloads.services[0].restartPolicy has no effect');
  });

  it.each([
    ['processes: [{image: a}]', 'workloads.processes[0].name (config.yaml:1:25) is required'],
    [
      'processes: [{name: A_b, image: a}]',
      'workloads.processes[0].name: "A_b" (config.yaml:1:32) must be a name of lower-case letters, digits and "-", for example "data-processor"',
    ],
    ['processes: [{name: a, script: {commands: [b]}}]', 'workloads.processes[0].image (config.yaml:1:25) is required'],
    [
      'cronJobs: [{name: a, image: b, schedule: "* * * * 7"}]',
      'workloads.cronJobs[0].schedule: "* * * * 7" (config.yaml:1:54) is not valid: day of the week: "7" must be between 0 and 6, and a range must ascend',
    ],
    [
      'processes: [{name: a, image: b, comand: [c]}]',
      'workloads.processes[0].comand: a list (config.yaml:1:53) is not a known field; did you mean command?',
    ],
    [
      'processes: [{name: a, image: b, script: {commands: [c], shel: d}}]',
      'workloads.processes[0].script.shel: "d" (config.yaml:1:75) is not a known field; did you mean shell?',
    ],
    [
      'processes: [{name: a, image: b, resources: {cpuLimit: fast}}]',
      'workloads.processes[0].resources.cpuLimit: "fast" (config.yaml:1:67) is not a quantity',
    ],
    [
      'processes: [{name: a, image: b}, {name: a, image: c}]',
      'workloads.processes[1].name: "a" (config.yaml:1:53) is a duplicate: WorkloadProcess default/a is defined twice',
    ],
    [
      'processes: [{name: a, workloadCRDRef: {kind: WorkloadService, name: b}}]',
      'workloads.processes[0].workloadCRDRef.kind: "WorkloadService" (config.yaml:1:58) must be WorkloadProcess in this list',
    ],
  ])('%s', (yaml, problem) => {
    expect(problemsOf({ env: REDIS, yaml: `workloads: {${yaml}}` }).join('\n')).toContain(problem);
  });

  it('never shows a value of env', () => {
    const problems = problemsOf({ env: REDIS, yaml: 'processes: [{name: a, image: b, env: {PASSWORD: 12345}}]' });
    expect(problems.join()).toContain('workloads.processes[0].env.PASSWORD');
    expect(problems.join()).not.toContain('12345');
  });
});
