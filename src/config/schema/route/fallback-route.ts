/** Makes the last route of a listener with the key `cluster` or `to`. */
import type { Context } from '../../syntax/context.ts';
import type { Located, Section } from '../../syntax/section.ts';
import type { AccessSettings } from '../../types/access.ts';
import type { Route } from '../../types/route.ts';
import { placeOfListener } from '../target/place.ts';
import { hasTarget, readOnlyTarget } from '../target/target.ts';
import { NO_PAGES } from './error-pages.ts';
import { NO_REWRITE } from './route-action.ts';
import { NO_CHANGES } from './route-headers.ts';
import { MATCH_ALL } from './route-match.ts';

/**
 * Reads the listener's own target. Returns a route that matches every request, or null without a target.
 *
 * @param listenerName the listener's name; empty if it is invalid
 * @param name the route's name
 * @param access the listener's settings
 */
export function readFallbackRoute(
  listener: Section,
  listenerName: string,
  name: string,
  access: AccessSettings | null,
  context: Context,
): Located<Route> | null {
  if (!hasTarget(listener)) return null;
  const path = [...listener.path, listener.has('to') ? 'to' : 'cluster'];
  const cluster = readOnlyTarget(listener, placeOfListener(listenerName), context);
  const value: Route = {
    name,
    match: MATCH_ALL,
    action: { kind: 'cluster', cluster, upgrade: 'also', rewrite: NO_REWRITE },
    headers: { request: NO_CHANGES, response: NO_CHANGES },
    access,
    limits: [],
    errorPages: NO_PAGES,
  };
  return { path, value };
}
