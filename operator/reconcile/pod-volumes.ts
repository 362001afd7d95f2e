/** Volumes of the listed ConfigMaps and Secrets, and the names by which containers mount them. Pure. */
import type { Container, Volume } from '../api/kubernetes.ts';
import type { CommonSpec } from '../api/workload.ts';
import { stableHash } from './metadata.ts';

type Listed = Pick<CommonSpec, 'configMaps' | 'secrets'>;
type Mounts = NonNullable<Container['volumeMounts']>;

/** One volume for each name. */
export function volumesOf({ configMaps = [], secrets = [] }: Listed): Volume[] {
  return [
    ...configMaps.map((name) => ({ name: volumeName('config', name), configMap: { name } })),
    ...secrets.map((name) => ({ name: volumeName('secret', name), secret: { secretName: name } })),
  ];
}

/** Of the main container. */
export function mountsOf({ configMaps = [], secrets = [] }: Listed): Mounts {
  return [
    ...configMaps.map((name) => ({
      name: volumeName('config', name),
      mountPath: `/etc/config/${name}`,
      readOnly: true,
    })),
    ...secrets.map((name) => ({ name: volumeName('secret', name), mountPath: `/etc/secrets/${name}`, readOnly: true })),
  ];
}

/** `config-<name>`; an object's name may hold dots and be longer than a volume's, then a hash keeps it unique. */
export function volumeName(prefix: 'config' | 'secret', name: string): string {
  const plain = `${prefix}-${name}`;
  if (plain.length <= 63 && !name.includes('.')) return plain;
  return `${plain.replaceAll('.', '-').slice(0, 50)}-${stableHash(name).slice(0, 8)}`;
}

/** A container that mounts `config-<name>` of a listed object means its volume, whatever that is called. */
export function withVolumeNames(container: Container, { configMaps = [], secrets = [] }: Listed): Container {
  const names = new Map<string, string>([
    ...configMaps.map((name) => [`config-${name}`, volumeName('config', name)] as const),
    ...secrets.map((name) => [`secret-${name}`, volumeName('secret', name)] as const),
  ]);
  const mounts = container.volumeMounts?.map((mount) => ({ ...mount, name: names.get(mount.name) ?? mount.name }));
  return mounts ? { ...container, volumeMounts: mounts } : container;
}
