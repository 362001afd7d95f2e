/** The garbage collector: what belongs to nobody any more goes; a foreground deletion waits for what it owns. */
import { childTypes } from '../../api/children.ts';
import type { ResourceType } from '../../cluster/cluster-client.ts';
import type { Stored } from '../api/json.ts';
import type { Ground } from './loop.ts';
import { KUBERNETES, remove } from './loop.ts';

const FOREGROUND = 'foregroundDeletion';
/** Longest until the collector sees what has become of an owner. */
const DELAY_MS = 2000;
const TYPES: readonly ResourceType[] = Object.values(childTypes);

/** Starts the garbage collector of a cluster. */
export function startCollector(ground: Ground): void {
  const { world, server, isUp } = ground;
  const alive = new Set<string | undefined>();
  let isDue = false;
  const look = () => {
    isDue = false;
    if (isUp()) for (const type of TYPES) for (const object of server.all(type)) see(ground, type, object, alive);
    else soon();
  };
  const soon = () => {
    if (isDue) return;
    isDue = true;
    world.after(world.chance.skewed(10, DELAY_MS), look);
  };
  server.changes.subscribe(({ object, isGone, before }) => {
    if (isGone) alive.delete(object.metadata.uid);
    else alive.add(object.metadata.uid);
    if (isGone || (!before && object.metadata.ownerReferences) || object.metadata.finalizers?.includes(FOREGROUND))
      soon();
  });
}

function see({ server }: Ground, type: ResourceType, object: Stored, alive: ReadonlySet<string | undefined>): void {
  const { ownerReferences = [], finalizers = [], deletionTimestamp, uid } = object.metadata;
  const isOrphan = ownerReferences.length > 0 && ownerReferences.every((owner) => !alive.has(owner.uid));
  const all = () => TYPES.flatMap((each) => server.all(each).map((found) => [each, found] as const));
  if (isOrphan && deletionTimestamp === undefined) return remove(server, type, object);
  if (!finalizers.includes(FOREGROUND)) return;
  const owned = all().filter(([, { metadata }]) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  for (const [each, dependent] of owned) if (!dependent.metadata.deletionTimestamp) remove(server, each, dependent);
  if (owned.length > 0) return;
  const left = finalizers.filter((each) => each !== FOREGROUND);
  server.patch(type, object.metadata, { metadata: { finalizers: left } }, KUBERNETES);
}
