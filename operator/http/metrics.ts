/** `/metrics`: the exposition format of whatever keeps the metrics. */
import type { RequestHandler } from 'express';

/** The metrics as text. */
export interface Exposition {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Handles `/metrics`. */
export function metricsHandler(exposition: Exposition): RequestHandler {
  return async (_request, response) => {
    const text = await exposition.text();
    response.set('Cache-Control', 'no-store').set('Content-Type', exposition.contentType).send(text);
  };
}
