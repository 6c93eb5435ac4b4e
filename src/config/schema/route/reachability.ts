/** Finds routes that an earlier route makes unreachable. */
import type { LinearExpression } from '../../../core/linear-expression.ts';
import type { ClientCertificateMatch, RouteMatch } from '../../types/route.ts';

/**
 * Max earlier routes to compare with one route: ten thousand routes on the same path would take seconds. The
 * hosts of a route share this number.
 */
const MAX_COMPARED = 1000;
/** Max earlier routes to compare with each host of a route that has many. */
const MIN_COMPARED = 10;

/** A route with its match and compiled pathRegex. */
interface KnownRoute {
  readonly name: string;
  readonly match: RouteMatch;
  readonly expression: LinearExpression | null;
}

/** The part of a route that earlier routes leave without requests. */
interface Cover {
  /** The earlier routes, without repetitions. */
  readonly by: readonly KnownRoute[];
  /** The hosts that get no requests. Null for the whole route. */
  readonly hosts: readonly string[] | null;
}

/** Routes of a listener read so far, indexed by the host and path that they match. */
export class EarlierRoutes {
  /** Keyed by host, then by path or prefix. A route without the condition has an empty key. */
  readonly #byHost = new Map<string, Map<string, KnownRoute[]>>();

  add(route: KnownRoute): void {
    const { hosts, path, pathPrefix } = route.match;
    const pathKey = withoutSlash(path ?? pathPrefix ?? '');
    for (const hostKey of hosts.length === 0 ? [''] : hosts) {
      const byPath = this.#byHost.get(hostKey) ?? new Map<string, KnownRoute[]>();
      this.#byHost.set(hostKey, byPath);
      const same = byPath.get(pathKey);
      if (same === undefined) byPath.set(pathKey, [route]);
      else same.push(route);
    }
  }

  /**
   * Returns the earlier routes that match every request of a later match, or every request of some of its
   * hosts. Null if none are known.
   */
  coverOf(later: RouteMatch): Cover | null {
    const paths = pathsAround(later.path ?? later.pathPrefix ?? '');
    if (later.hosts.length === 0) {
      const route = this.#coverOfHost(null, later, paths, MAX_COMPARED);
      return route === null ? null : { by: [route], hosts: null };
    }
    const max = Math.max(MIN_COMPARED, Math.floor(MAX_COMPARED / later.hosts.length));
    const by = new Set<KnownRoute>();
    const hosts: string[] = [];
    for (const host of later.hosts) {
      const route = this.#coverOfHost(host, later, paths, max);
      if (route === null) continue;
      by.add(route);
      hosts.push(host);
    }
    if (hosts.length === 0) return null;
    return { by: [...by], hosts: hosts.length === later.hosts.length ? null : hosts };
  }

  /** Returns an earlier route that matches every request of a later match with a host. Null if none is known. */
  #coverOfHost(
    host: string | null,
    later: RouteMatch,
    paths: readonly string[],
    max: number,
  ): KnownRoute | null {
    for (const around of hostsAround(host)) {
      const byPath = this.#byHost.get(around);
      if (byPath === undefined) continue;
      for (const path of paths) {
        for (const route of byPath.get(path) ?? []) {
          if (max-- === 0) return null;
          if (covers(route.match, later, route.expression)) return route;
        }
      }
    }
    return null;
  }
}

/** Lists the keys of all hosts that cover a host: no host, the host itself, and each wildcard above it. */
function hostsAround(host: string | null): string[] {
  if (host === null) return [''];
  const hosts = ['', host];
  const start = host.startsWith('*.') ? 2 : 0;
  for (let dot = host.indexOf('.', start); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    hosts.push(`*${host.slice(dot)}`);
  }
  return hosts;
}

/** Lists the keys that can cover a path: no path, prefixes that end at its segments, and the path itself. */
function pathsAround(path: string): string[] {
  const paths = [''];
  for (let slash = path.indexOf('/', 1); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    paths.push(path.slice(0, slash));
  }
  const whole = withoutSlash(path);
  if (whole !== paths.at(-1)) paths.push(whole);
  return paths;
}

/** Removes a trailing slash. `/` and no path then have the same key: both cover every path. */
function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * Whether the earlier match accepts every request that the later match accepts, apart from its hosts. False
 * may also mean unknown: two regular expressions may match the same paths.
 *
 * @param expression the earlier match's compiled pathRegex
 */
function covers(earlier: RouteMatch, later: RouteMatch, expression: LinearExpression | null): boolean {
  return (
    (earlier.path === null || earlier.path === later.path) &&
    coversPrefix(earlier.pathPrefix, later) &&
    coversRegex(expression, later) &&
    containsAll(later.headers, earlier.headers) &&
    containsAll(later.query, earlier.query) &&
    (earlier.subprotocol === null || earlier.subprotocol === later.subprotocol) &&
    coversCertificate(earlier.clientCertificate, later.clientCertificate)
  );
}

function coversPrefix(prefix: string | null, later: RouteMatch): boolean {
  if (prefix === null || prefix === '/') return true;
  return [later.path, later.pathPrefix].some((path) => path !== null && isBelow(prefix, path));
}

function coversRegex(expression: LinearExpression | null, later: RouteMatch): boolean {
  if (expression === null || expression.source === later.pathRegex) return true;
  return later.path !== null && expression.test(later.path);
}

/** Whether a path is below a prefix of whole segments. */
export function isBelow(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

function coversCertificate(
  earlier: ClientCertificateMatch | null,
  later: ClientCertificateMatch | null,
): boolean {
  if (earlier === null) return true;
  const keys = ['subject', 'san', 'fingerprint'] as const;
  return later !== null && keys.every((key) => earlier[key] === null || earlier[key] === later[key]);
}

function containsAll(whole: ReadonlyMap<string, string>, part: ReadonlyMap<string, string>): boolean {
  return [...part].every(([name, value]) => whole.get(name) === value);
}
