/** A claim on children, and a sight of them, for tests of pure functions. */
import type { ChildType } from '../../api/children.ts';
import type { Sight } from '../child-look.ts';
import type { AnyChild, Claim, Live } from '../child.ts';

/** Objects with their types; what is live is all there is. */
export function liveWith(...objects: readonly [ChildType, object][]): Live {
  const of = (type: ChildType) => objects.filter(([each]) => each.plural === type.plural).map(([, object]) => object);
  return {
    get: (type, name) => of(type).find((each) => (each as AnyChild).metadata.name === name) as never,
    list: (type) => of(type) as never,
  };
}

export function claimFor(kind: string, component: string, more: Partial<Claim> = {}): Claim {
  return {
    owner: { name: 'web', namespace: 'default', uid: 'u1', generation: 1 },
    kind,
    component,
    tenant: 'default',
    scope: 'single',
    clusterName: 'east',
    stamp: { term: 7, generation: 1 },
    live: liveWith(),
    ...more,
  };
}

export function sightOf(live: Live, more: Partial<Sight> = {}): Sight {
  return {
    owner: { name: 'web', namespace: 'default', uid: 'u1', generation: 1 },
    live,
    previous: undefined,
    now: 0,
    ...more,
  };
}
