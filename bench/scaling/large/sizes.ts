/** Size of a generated configuration. */
export interface LargeSizes {
  readonly clusters: number;
  /** Endpoints per cluster. */
  readonly endpoints: number;
  /** Routes of the only listener. */
  readonly routes: number;
  /** Worker threads of layer 7. For other proxies, all threads. */
  readonly workers: number;
}

/** Sizes of the configuration in `docs/benchmarks/scaling.md`. */
export const USUAL_SIZES: LargeSizes = { clusters: 1000, endpoints: 10, routes: 2000, workers: 2 };

/** Ports of a generated configuration, and its version. */
export interface LargeSetup {
  readonly sizes: LargeSizes;
  /** Ports of 127.0.0.1. */
  readonly ports: { readonly web: number; readonly admin: number };
  /** Versions differ in one route: its host and its answer. */
  readonly version: number;
  /** `host:port` of an extra endpoint for /echo and /sessions, not included in the sizes. Absent for none. */
  readonly echo?: string;
}

/** Returns the host of the changed route in a version. */
export function changedHost(version: number): string {
  return `changed-${version}.example.com`;
}

/** Returns the body of the changed route in a version. */
export function changedBody(version: number): string {
  return `version ${version}.`;
}

/** A route of the generated configuration to a cluster. */
export interface LargeRoute {
  readonly host: string;
  readonly pathPrefix: string;
  readonly cluster: number;
}

/** Hosts that the routes share. */
const HOSTS = 500;

/** Returns the routes to clusters: one fewer than the size, because the changed route counts too. */
export function routesOf({ routes, clusters }: LargeSizes): LargeRoute[] {
  return Array.from({ length: routes - 1 }, (_, index) => ({
    host: `h${index % HOSTS}.example.com`,
    pathPrefix: `/p${index}`,
    cluster: index % clusters,
  }));
}

/** Values of the last two numbers of an address in 127.0.0.0/8: 1 to 250 each. */
const NUMBERS = 250;
/** Nothing listens on this port. No request of a measurement goes to an endpoint. */
const PORT = 19_999;

/**
 * Returns the address of an endpoint. Each endpoint has its own.
 *
 * @param index index among all endpoints
 */
export function endpointAddress(index: number): string {
  const second = 1 + Math.floor(index / NUMBERS ** 2);
  const third = 1 + (Math.floor(index / NUMBERS) % NUMBERS);
  return `127.${second}.${third}.${1 + (index % NUMBERS)}:${PORT}`;
}

/** Max endpoints of all clusters. The second number of an address is at most 255. */
export const MAX_ENDPOINTS = 255 * NUMBERS ** 2;
