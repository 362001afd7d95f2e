/** Images that every cluster serves: enough to run the manifests of this project's docs and examples unchanged. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { makeImage, type Image } from './image.ts';
import { install, RUNTIME } from './packages.ts';
import { cacheFolder, shortHash } from './paths.ts';
import { run } from './shell.ts';
import type { TarEntry } from './tar.ts';

export const PAUSE_IMAGE = 'highlander.test/pause:1';

/** Lives until it is told to end, and then ends at once. */
const IDLE = "trap 'exit 0' TERM INT; while :; do sleep 1 & wait $!; done";

/** Names that the examples use → what the image does if the manifest names no command. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'busybox:latest': ['sh'],
  'busybox:1.36': ['sh'],
  'mycompany/data-processor:latest': ['sh', '-c', IDLE],
  'mycompany/report-generator:latest': ['/app/generate-report.sh'],
  'mycompany/admin-api:latest': ['httpd', '-f', '-p', '8080', '-h', '/www'],
  'ibmcom/mqadvanced-server:latest': ['nc', '-ll', '-p', '1414', '-e', 'cat'],
};

export async function exampleImages(runtime: string): Promise<Array<[name: string, image: Image]>> {
  const files = busyboxFiles(runtime);
  const examples = Object.entries(EXAMPLES).map(([name, command]): [string, Image] => [
    name,
    makeImage(files, { Cmd: command }),
  ]);
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
  const script = (path: string, text: string): TarEntry => ({ path, mode: 0o755, content: `#!/bin/sh\n${text}\n` });
  return [
    ...['app', 'bin', 'etc', 'root', 'var', 'var/log', 'www'].map((path): TarEntry => ({ path, folder: true })),
    { path: 'tmp', folder: true, mode: 0o1777 },
    { path: 'bin/busybox', mode: 0o755, content: readFileSync(busybox) },
    ...tools.map((tool): TarEntry => ({ path: `bin/${tool}`, linkTo: 'busybox' })),
    { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
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
