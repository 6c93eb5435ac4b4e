import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import type { Route } from '../../config/types/route.ts';
import type { RouteHandler } from './route-handler.ts';

/** What the route table holds for a route. Of thousands of routes most get no request, so the rest is made when it is needed. */
export class RoutedTo {
  readonly route: Route;
  /** Null until the first request takes the route. */
  handle: RouteHandler | null = null;
  #effect: string | null = null;

  constructor(route: Route) {
    this.route = route;
  }

  /** A digest, equal for routes that do the same, whatever their names and conditions. */
  get effect(): string {
    return (this.#effect ??= effectOf(this.route));
  }
}

/** Returns a digest of what a route does. A digest, since the text of a `respond` action may be long. */
function effectOf(route: Route): string {
  const effect = serialize({ ...route, name: null, match: null });
  return createHash('sha256').update(effect).digest('base64');
}
