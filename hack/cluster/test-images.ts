/** Images that every cluster serves: enough to run the manifests of this project's docs and examples unchanged. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { makeImage, type Image, type ImageConfig } from './image.ts';
import { install, RUNTIME } from './packages.ts';
import { cacheFolder, shortHash } from './paths.ts';
import { run } from './shell.ts';
import type { TarEntry } from './tar.ts';

export const PAUSE_IMAGE = 'highlander.test/pause:1';

/** Lives until it is told to end, and then ends at once. */
const IDLE = "trap 'exit 0' TERM INT; while :; do sleep 1 & wait $!; done";

/** Names that the examples use → what the image does if the manifest names no command. */
const EXAMPLES: Readonly<Record<string, ImageConfig>> = {
  'busybox:latest': { Cmd: ['sh'] },
  'busybox:1.36': { Cmd: ['sh'] },
  'alpine:3.20': { Cmd: ['sh'] },
  'mycompany/data-processor:latest': { Cmd: ['sh', '-c', IDLE] },
  'mycompany/report-generator:latest': { Cmd: ['/app/generate-report.sh'] },
  'mycompany/admin-api:latest': published('admin-api'),
  'ibmcom/mqadvanced-server:latest': published('mq'),
  'nginx:latest': published('nginx'),
  'nginx:1.27': published('nginx'),
  'nginx:alpine': published('nginx'),
  'redis:latest': published('redis'),
  'redis:alpine': published('redis'),
  'postgres:16': published('postgres'),
  'postgres:16-alpine': published('postgres'),
  'rabbitmq:3.13-management': published('rabbitmq'),
};

function published(server: string): ImageConfig {
  return { Entrypoint: ['/docker-entrypoint.sh'], Cmd: [server] };
}

/**
 * Begins as the entrypoints of published images do: as root, it writes beside the image's files, binds a port below 1024, gives
 * folders away and goes on as another user. Without any of these rights it fails, as they do.
 */
const ENTRYPOINT = `set -e
run() { "$@" & trap 'kill $!; exit 0' TERM INT; wait $!; }
give() { mkdir -p "$2"; chown -R "$1" "$2"; chmod 700 "$2"; }
as() { export COMMAND="$2"; exec su -s /bin/sh "$1" -c 'trap "kill \\$!; exit 0" TERM INT; $COMMAND & wait $!'; }
date > /etc/started
case "$1" in
  nginx) give nginx /var/cache/nginx; run httpd -f -p 80 -u nginx -h /www ;;
  admin-api) give nobody /var/log/admin-api; as nobody 'httpd -f -p 8080 -h /www' ;;
  mq) give mqm /var/mqm; as mqm 'nc -ll -p 1414 -e cat' ;;
  redis) give redis /data; as redis 'nc -ll -p 6379 -e cat' ;;
  rabbitmq) give rabbitmq /var/lib/rabbitmq; as rabbitmq 'nc -ll -p 5672 -e cat' ;;
  postgres)
    [ "$POSTGRES_PASSWORD" ] || { echo "POSTGRES_PASSWORD is not set"; exit 1; }
    give postgres "\${PGDATA:-/var/lib/postgresql/data}"; as postgres 'nc -ll -p 5432 -e cat' ;;
  *) exec "$@" ;;
esac`;

/** User → id, beside root and nobody. */
const USERS = { nginx: 101, redis: 999, postgres: 70, mqm: 1001, rabbitmq: 100 };

export async function exampleImages(runtime: string): Promise<Array<[name: string, image: Image]>> {
  const files = busyboxFiles(runtime);
  const examples = Object.entries(EXAMPLES).map(([name, config]): [string, Image] => [name, makeImage(files, config)]);
  return [[PAUSE_IMAGE, await pauseImage()], ...examples];
}

/** The image for `load NAME`: a shell with busybox's tools that idles unless it is given a command. */
export function testImage(runtime: string): Image {
  return makeImage(busyboxFiles(runtime), { Cmd: ['sh', '-c', IDLE] });
}

export function busyboxFiles(runtime: string): TarEntry[] {
  const busybox = join(runtime, RUNTIME.busybox);
  const tools = execFileSync(busybox, ['--list'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter((tool) => tool !== 'busybox');
  const lines = (line: (name: string, id: number) => string) =>
    Object.entries(USERS)
      .map(([name, id]) => line(name, id))
      .join('');
  const users = lines((name, id) => `${name}:x:${id}:${id}:${name}:/:/bin/sh\n`);
  const groups = lines((name, id) => `${name}:x:${id}:\n`);
  const script = (path: string, text: string): TarEntry => ({ path, mode: 0o755, content: `#!/bin/sh\n${text}\n` });
  return [
    ...['app', 'bin', 'etc', 'root', 'var', 'var/log', 'www'].map((path): TarEntry => ({ path, folder: true })),
    { path: 'tmp', folder: true, mode: 0o1777 },
    { path: 'bin/busybox', mode: 0o755, content: readFileSync(busybox) },
    ...tools.map((tool): TarEntry => ({ path: `bin/${tool}`, linkTo: 'busybox' })),
    { path: 'etc/passwd', content: `root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n${users}` },
    { path: 'etc/group', content: `root:x:0:\nnogroup:x:65534:\n${groups}` },
    script('docker-entrypoint.sh', ENTRYPOINT),
    script('app/process-data.sh', `echo "processing data"; ${IDLE}`),
    script('app/generate-report.sh', 'echo "report of $(date)"; sleep 1'),
    { path: 'www/index.html', content: 'admin api\n' },
  ];
}

/** Compiled once per machine. */
async function pauseImage(): Promise<Image> {
  const source = join(import.meta.dirname, 'pause.c');
  const binary = join(cacheFolder(), 'bin', `pause-${process.arch}-${shortHash(readFileSync(source, 'utf8'))}`);
  if (!existsSync(binary)) {
    await install({ gcc: 'build-essential' });
    mkdirSync(join(binary, '..'), { recursive: true });
    const temporary = `${binary}.${process.pid}.new`;
    await run(['gcc', '-static', '-Os', '-s', '-o', temporary, source]);
    renameSync(temporary, binary);
  }
  return makeImage([{ path: 'pause', mode: 0o755, content: readFileSync(binary) }], { Entrypoint: ['/pause'] });
}
