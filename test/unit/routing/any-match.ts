/** The conditions of routes in tests. */
import type { RouteMatch } from '../../../src/config/types/route.ts';

/**
 * The conditions of a route that takes every request.
 *
 * A test spreads them, and adds the conditions that it is about.
 */
export const ANY: RouteMatch = {
  hosts: [],
  path: null,
  pathPrefix: null,
  pathRegex: null,
  headers: new Map(),
  query: new Map(),
  subprotocol: null,
  clientCertificate: null,
};
