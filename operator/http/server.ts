/** The HTTP face of a controller. `createHttpApp` only wires; listening and its end are the caller's, by `listen`. */
import express from 'express';
import type { Express, RequestHandler } from 'express';
import type { Logger } from '../lib/logger.ts';
import type { HealthChecks } from './health.ts';
import { createProbes } from './health.ts';
import type { Exposition } from './metrics.ts';
import { metricsHandler } from './metrics.ts';
import type { LeadershipDesk } from './leadership.ts';
import { authorized, handOver } from './leadership.ts';
import { notFound, onlyMethods, problemOfError, sendProblem } from './problem.ts';

/** What the paths answer with. */
export interface HttpDeps {
  readonly health: HealthChecks;
  readonly metrics: Exposition;
  /** Absent until the store has been opened. */
  readonly leadership?: () => LeadershipDesk | undefined;
  readonly logger: Logger;
}

/** The express application: probes, metrics and the leadership API. */
export function createHttpApp({ health, metrics, leadership, logger }: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const probes = createProbes(health);
  get(app, '/healthz', probes.healthz);
  get(app, '/livez', probes.livez);
  get(app, ['/readyz', '/health'], probes.readyz);
  get(app, '/metrics', metricsHandler(metrics));
  if (leadership) ask(app, leadership);
  app.use(notFound);
  app.use(problemOfError(logger));
  return app;
}

const MAX_BODY = '16kb';

function ask(app: Express, leadership: () => LeadershipDesk | undefined): void {
  const by =
    (handler: (desk: LeadershipDesk) => RequestHandler): RequestHandler =>
    (request, response, next) => {
      const desk = leadership();
      if (desk) handler(desk)(request, response, next);
      else sendProblem(response, { status: 503, code: 'starting', title: 'Service Unavailable' });
    };
  app
    .route('/api/v1/leadership/handover')
    .post(by(authorized), express.json({ limit: MAX_BODY, type: () => true }), by(handOver))
    .all(onlyMethods('POST'));
}

function get(app: Express, path: string | string[], handler: RequestHandler): void {
  app.route(path).get(handler).all(onlyMethods('GET', 'HEAD'));
}
