import { describe, expect, it } from 'vitest';
import type { StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { PERSISTENT_KIND, persistentSpec } from '../../api/persistent.ts';
import type { Claim } from '../../reconcile/child.ts';
import type { ServiceHolder } from '../../reconcile/service-names.ts';
import { claimFor, liveWith } from '../../reconcile/testing/claims.ts';
import { desired } from './desired.ts';

const held = (holder: ServiceHolder) => ({ holderOf: (name: string) => (name === 'web' ? holder : 'nobody') });
const outside = { serviceTemplate: { spec: { type: 'LoadBalancer' } } };
const translating = { ports: [{ containerPort: 1414, servicePort: 80 }] };

/** The StatefulSet's serviceName, then the Services, in the order in which they are made. */
function names(given: object, more: Partial<Claim> = {}): readonly string[] {
  const children = desired(
    claimFor(PERSISTENT_KIND, 'persistent', more),
    persistentSpec.parse({ image: 'mq', ...given }),
  );
  return children.map(({ type, object }) =>
    type === childTypes.statefulSets
      ? `set of ${(object as StatefulSet).spec.serviceName}`
      : `${(object.spec as { clusterIP?: string }).clusterIP === 'None' ? 'headless ' : ''}${object.metadata.name}`,
  );
}

function live(serviceName: string) {
  const object = { metadata: { name: 'web', namespace: 'default', uid: 's' }, spec: { serviceName } };
  return { live: liveWith([childTypes.statefulSets, object]) };
}

describe('the Service of a WorkloadPersistent', () => {
  it.each<[string, object, Partial<Claim>, readonly string[]]>([
    ['has its name, and is made first, so that the name is taken', {}, {}, ['headless web', 'set of web']],
    ['gives way to another workload', {}, held('workload'), ['headless web-headless', 'set of web-headless']],
    ['gives way to a stranger', {}, held('stranger'), ['headless web-headless', 'set of web-headless']],
    ['is what the StatefulSet says', {}, { ...live('web'), ...held('nobody') }, ['set of web', 'headless web']],
    ['stays what it was', {}, { ...live('web-headless') }, ['set of web-headless', 'headless web-headless']],
    ['is what the spec says', { serviceName: 'web' }, held('workload'), ['set of web', 'headless web']],
    ['is not headless where it translates ports', translating, {}, ['web', 'set of web']],
    ['is not headless where it is reached from outside', outside, {}, ['web', 'set of web']],
    [
      'has one beside it that translates, where the name is taken',
      translating,
      held('workload'),
      ['headless web-headless', 'web-front', 'set of web-headless'],
    ],
    [
      'has one beside it that is reached from outside, where the name is taken',
      { ...outside, serviceName: 'nodes' },
      held('workload'),
      ['set of nodes', 'headless nodes', 'web-front'],
    ],
    [
      'is not hidden from a stranger that has the name it was given',
      { ...outside, serviceName: 'nodes' },
      held('stranger'),
      ['set of nodes', 'headless nodes', 'web'],
    ],
  ])('%s', (_sentence, given, more, expected) => expect(names(given, more)).toEqual(expected));
});
