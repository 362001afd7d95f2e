/** Container images made here, of one layer, and their push to a registry: three HTTP requests, no Docker. */

import { createHash } from 'node:crypto';
import { tar, type TarEntry } from './tar.ts';

export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly data: Buffer;
}

export interface Image {
  readonly manifest: Blob;
  readonly blobs: readonly Blob[];
}

const OCI = 'application/vnd.oci.image';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function makeImage(files: readonly TarEntry[], config: ImageConfig): Image {
  const layer = blob(`${OCI}.layer.v1.tar`, tar(files));
  const details = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: { Env: [PATH], WorkingDir: '/', ...config },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
    history: [{ created: '1970-01-01T00:00:00Z' }],
  };
  const settings = blob(`${OCI}.config.v1+json`, Buffer.from(JSON.stringify(details)));
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: descriptor(settings),
    layers: [descriptor(layer)],
  };
  return { manifest: blob(manifest.mediaType, Buffer.from(JSON.stringify(manifest))), blobs: [settings, layer] };
}

function blob(mediaType: string, data: Buffer): Blob {
  return { mediaType, data, digest: `sha256:${createHash('sha256').update(data).digest('hex')}` };
}

function descriptor({ mediaType, digest, data }: Blob): object {
  return { mediaType, digest, size: data.length };
}

export interface Reference {
  /** Without the registry's host: one mirror serves them all. */
  readonly repository: string;
  readonly tag: string;
}

/** Reads an image name as container runtimes do: `busybox` is docker.io/library/busybox:latest. */
export function parseReference(name: string): Reference {
  const [, host = '', path = '', tag = 'latest'] =
    /^(?:((?:[^/]*[.:][^/]*|localhost))\/)?([^:@]+)(?::([\w.-]+))?$/.exec(name) ?? [];
  if (!/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(path)) throw new Error(`not an image name that can be served: ${name}`);
  const official = (host === '' || host === 'docker.io') && !path.includes('/');
  return { repository: official ? `library/${path}` : path, tag };
}

/** Makes `image` available as `name` in the registry at `registry` (host:port). */
export async function pushImage(registry: string, image: Image, name: string): Promise<void> {
  const { repository, tag } = parseReference(name);
  const base = `http://${registry}/v2/${repository}`;
  for (const { digest, data } of image.blobs) {
    const known = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' });
    if (known.ok) continue;
    const upload = await expect(`${base}/blobs/uploads/`, { method: 'POST' });
    const target = new URL(upload.headers.get('location') ?? '', base);
    target.searchParams.set('digest', digest);
    await expect(target, { method: 'PUT', body: data, headers: { 'content-type': 'application/octet-stream' } });
  }
  await expect(`${base}/manifests/${tag}`, {
    method: 'PUT',
    body: image.manifest.data,
    headers: { 'content-type': image.manifest.mediaType },
  });
}

async function expect(
  url: string | URL,
  init: { method: string; body?: Buffer; headers?: Record<string, string> },
): Promise<Response> {
  const { body, ...rest } = init;
  const response = await fetch(url, body ? { ...rest, body: new Uint8Array(body) } : rest);
  if (!response.ok) throw new Error(`${init.method} ${String(url)}: ${response.status} ${await response.text()}`);
  return response;
}
