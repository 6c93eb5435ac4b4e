/** Finds routes that an earlier route makes unreachable. */
import type { LinearExpression } from '../../../core/linear-expression.ts';
import type { ClientCertificateMatch, RouteMatch } from '../../types/route.ts';

/** Max earlier routes to compare with one route: ten thousand routes on the same path would take seconds. */
const MAX_COMPARED = 1000;

/** A route with its match and compiled pathRegex. */
interface KnownRoute {
  readonly name: string;
  readonly match: RouteMatch;
  readonly expression: LinearExpression | null;
}

/** Routes of a listener read so far, indexed by the host and path that they match. */
export class EarlierRoutes {
  /** Keyed by host, then by path or prefix. A route without the condition has an empty key. */
  readonly #byHost = new Map<string, Map<string, KnownRoute[]>>();

  add(route: KnownRoute): void {
    const { host, path, pathPrefix } = route.match;
    const hostKey = host ?? '';
    const byPath = this.#byHost.get(hostKey) ?? new Map<string, KnownRoute[]>();
    this.#byHost.set(hostKey, byPath);
    const pathKey = withoutSlash(path ?? pathPrefix ?? '');
    const same = byPath.get(pathKey);
    if (same === undefined) byPath.set(pathKey, [route]);
    else same.push(route);
  }

  /** Returns an earlier route that matches every request of a later match. Undefined if none is known. */
  coverOf(later: RouteMatch): KnownRoute | undefined {
    let left = MAX_COMPARED;
    const paths = pathsAround(later.path ?? later.pathPrefix ?? '');
    for (const host of hostsAround(later.host)) {
      const byPath = this.#byHost.get(host);
      if (byPath === undefined) continue;
      for (const path of paths) {
        for (const { match, ...route } of byPath.get(path) ?? []) {
          if (left-- === 0) return undefined;
          if (covers(match, later, route.expression)) return { match, ...route };
        }
      }
    }
    return undefined;
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
 * Whether the earlier match accepts every request that the later match accepts. False may also mean unknown:
 * two regular expressions may match the same paths.
 *
 * @param expression the earlier match's compiled pathRegex
 */
export function covers(earlier: RouteMatch, later: RouteMatch, expression: LinearExpression | null): boolean {
  return (
    coversHost(earlier.host, later.host) &&
    (earlier.path === null || earlier.path === later.path) &&
    coversPrefix(earlier.pathPrefix, later) &&
    coversRegex(expression, later) &&
    containsAll(later.headers, earlier.headers) &&
    containsAll(later.query, earlier.query) &&
    (earlier.subprotocol === null || earlier.subprotocol === later.subprotocol) &&
    coversCertificate(earlier.clientCertificate, later.clientCertificate)
  );
}

function coversHost(earlier: string | null, later: string | null): boolean {
  if (earlier === null || earlier === later) return true;
  return earlier.startsWith('*.') && (later ?? '').endsWith(earlier.slice(1));
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
