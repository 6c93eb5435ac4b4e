/** How large a generated configuration is. */
export interface LargeSizes {
  readonly clusters: number;
  /** Endpoints of each cluster. */
  readonly endpoints: number;
  /** Routes of the one listener. */
  readonly routes: number;
  /** Worker threads of layer 7; threads of a peer. */
  readonly workers: number;
}

/** The configuration that `docs/benchmarks/scaling.md` has figures of. */
export const USUAL_SIZES: LargeSizes = { clusters: 1000, endpoints: 10, routes: 2000, workers: 2 };

/** Where a generated configuration listens, and which change of it is meant. */
export interface LargeSetup {
  readonly sizes: LargeSizes;
  /** Ports of 127.0.0.1. */
  readonly ports: { readonly web: number; readonly admin: number };
  /** Two versions differ in one route: its host and its answer. */
  readonly version: number;
  /** `host:port` of an extra endpoint for /echo and /sessions, not included in the sizes. Absent for none. */
  readonly echo?: string;
}

/** Returns the host that the changed route has in a version. */
export function changedHost(version: number): string {
  return `changed-${version}.example.com`;
}

/** Returns the body that the changed route answers with in a version. */
export function changedBody(version: number): string {
  return `version ${version}.`;
}

/** A route of the generated configuration that leads to a cluster. */
export interface LargeRoute {
  readonly host: string;
  readonly pathPrefix: string;
  readonly cluster: number;
}

/** Hosts that the routes share. */
const HOSTS = 500;

/** Returns the routes that lead to clusters: one fewer than the size says, because the changed route counts. */
export function routesOf({ routes, clusters }: LargeSizes): LargeRoute[] {
  return Array.from({ length: routes - 1 }, (_, index) => ({
    host: `h${index % HOSTS}.example.com`,
    pathPrefix: `/p${index}`,
    cluster: index % clusters,
  }));
}

/** Addresses of a third of 127.0.0.0/8: two numbers of 1 to 250 behind the second one. */
const NUMBERS = 250;
/** Nothing listens there: no request of a measurement goes to an endpoint. */
const PORT = 19_999;

/** Returns the address of an endpoint, another one for each. @param index of the endpoint among those of all clusters */
export function endpointAddress(index: number): string {
  const second = 1 + Math.floor(index / NUMBERS ** 2);
  const third = 1 + (Math.floor(index / NUMBERS) % NUMBERS);
  return `127.${second}.${third}.${1 + (index % NUMBERS)}:${PORT}`;
}

/** Max endpoints of all clusters: the second number of an address is at most 255. */
export const MAX_ENDPOINTS = 255 * NUMBERS ** 2;
