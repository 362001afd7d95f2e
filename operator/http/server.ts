/** The HTTP face of a controller. `createHttpApp` only wires; listening and its end are the caller's, by `listen`. */
import express from 'express';
import type { Express, RequestHandler } from 'express';
import type { Logger } from '../lib/logger.ts';
import type { HealthChecks } from './health.ts';
import { createProbes } from './health.ts';
import type { Exposition } from './metrics.ts';
import { metricsHandler } from './metrics.ts';
import { notFound, onlyMethods, problemOfError } from './problem.ts';

export interface HttpDeps {
  readonly health: HealthChecks;
  readonly metrics: Exposition;
  readonly logger: Logger;
}

export function createHttpApp({ health, metrics, logger }: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const probes = createProbes(health);
  get(app, '/healthz', probes.healthz);
  get(app, '/livez', probes.livez);
  get(app, ['/readyz', '/health'], probes.readyz);
  get(app, '/metrics', metricsHandler(metrics));
  app.use(notFound);
  app.use(problemOfError(logger));
  return app;
}

function get(app: Express, path: string | string[], handler: RequestHandler): void {
  app.route(path).get(handler).all(onlyMethods('GET', 'HEAD'));
}
