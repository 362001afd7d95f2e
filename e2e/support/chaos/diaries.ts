/** What the pods wrote. Times are milliseconds since the machine started: one clock for all clusters. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One life of a container. */
export interface Life {
  readonly workload: string;
  readonly cluster: string;
  readonly pod: string;
  readonly startedAt: number;
  /** Its last word. */
  readonly seenAt: number;
  /** It said so itself. */
  readonly ended: boolean;
}

export function uptimeMs(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
}

export function readDiaries(folder: string): readonly Life[] {
  return readdirSync(folder).flatMap((file) => lifeOf(file, readFileSync(join(folder, file), 'utf8')));
}

/** Of a file `WORKLOAD.CLUSTER.POD.UPTIME`; none while nothing is written. */
export function lifeOf(file: string, text: string): readonly Life[] {
  const [workload = '', cluster = '', pod = ''] = file.split('.');
  const lines = text.split('\n').filter((line) => /^\d+\.\d+ (start|beat|end)$/.test(line));
  const times = lines.map((line) => Number(line.split(' ')[0]) * 1000);
  const [startedAt] = times;
  const seenAt = times.at(-1);
  if (startedAt === undefined || seenAt === undefined) return [];
  return [{ workload, cluster, pod, startedAt, seenAt, ended: lines.at(-1)?.endsWith('end') ?? false }];
}
