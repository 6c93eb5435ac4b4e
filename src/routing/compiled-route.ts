import type { RouteMatch } from '../config/types/route.ts';
import { toByteText } from '../core/byte-text.ts';
import { LinearExpression } from '../core/linear-expression.ts';
import { CertificateCondition } from './certificate-condition.ts';
import type { PathOutline } from './path-outline.ts';
import { hasSeveralValues, type QueryString } from './query-string.ts';
import { normalizePattern } from './request-path.ts';
import type { RouteRequest } from './route-request.ts';

/** The route that a request takes. */
export interface RouteHit<T> {
  readonly value: T;
  /** Groups that the route's pathRegex matched, from `$1`; empty strings for unused groups. */
  readonly groups: readonly string[];
}

/** A route's response to a request that its conditions cannot judge. */
export interface RouteRefusal {
  readonly status: 400 | 414;
  readonly reason: string;
}

/** Max bytes of a path for expressions. An expression of 1,000 instructions takes 85 ms for that. */
const MAX_EXPRESSION_PATH_BYTES = 8 * 1024;
const TOO_LONG: RouteRefusal = Object.freeze({
  status: 414,
  reason: `the path is longer than ${MAX_EXPRESSION_PATH_BYTES} bytes`,
});
const SEVERAL_VALUES: RouteRefusal = Object.freeze({
  status: 400,
  reason: 'a query parameter has more than one value',
});
const NO_GROUPS: readonly string[] = Object.freeze([]);
/** The hosts of a route for any host. */
const ANY_HOST: readonly null[] = Object.freeze([null]);
/** No conditions: thousands of routes share this array. */
const NONE: readonly never[] = Object.freeze([]);

/** A segment that is the same in every reading. */
const PLAIN = /^[^%;\\]+$/;

/** The readings of a request's path that a route takes. */
type Reach = 'all' | 'some' | 'none';

/** One route with prepared conditions: paths normalized, the expression compiled, maps as arrays. */
export class CompiledRoute<T> {
  /** Index in the configuration. The matching route with the lowest order wins. */
  readonly order: number;
  /** Hosts and wildcards; one null for any host. */
  readonly hosts: readonly (string | null)[];
  readonly path: string | null;
  readonly pathPrefix: string | null;
  readonly #expression: LinearExpression | null;
  readonly #headers: readonly (readonly [name: string, value: string])[];
  readonly #query: readonly (readonly [key: string, value: string])[];
  readonly #subprotocol: string | null;
  readonly #certificate: CertificateCondition | null;
  readonly #hitWithoutGroups: RouteHit<T>;
  /** Segments of `path` or `pathPrefix` that are the same in every reading. */
  readonly #segments: readonly string[];

  /**
   * @param known route of an older table with the same match, whose compiled parts are reused; null for none
   * @throws ExpressionError for an invalid pathRegex, which the configuration loader refuses
   */
  constructor(order: number, match: RouteMatch, value: T, known: CompiledRoute<T> | null = null) {
    this.order = order;
    this.#hitWithoutGroups = Object.freeze({ value, groups: NO_GROUPS });
    this.hosts = match.hosts.length === 0 ? ANY_HOST : match.hosts;
    this.#subprotocol = match.subprotocol;
    if (known !== null) {
      this.path = known.path;
      this.pathPrefix = known.pathPrefix;
      this.#expression = known.#expression;
      this.#headers = known.#headers;
      this.#query = known.#query;
      this.#certificate = known.#certificate;
      this.#segments = known.#segments;
      return;
    }
    this.path = match.path === null ? null : normalizePattern(match.path);
    this.pathPrefix = match.pathPrefix === null ? null : normalizePattern(match.pathPrefix);
    this.#expression = match.pathRegex === null ? null : new LinearExpression(match.pathRegex);
    const { headers, query } = match;
    this.#headers =
      headers.size === 0 ? NONE : [...headers].map(([name, text]) => [name.toLowerCase(), toByteText(text)]);
    this.#query = query.size === 0 ? NONE : [...query];
    this.#certificate =
      match.clientCertificate === null ? null : new CertificateCondition(match.clientCertificate);
    const segments = (this.path ?? this.pathPrefix ?? '').split('/').slice(1);
    const isPlain = (segment: string): boolean => PLAIN.test(segment);
    // V8 gives a filtered list spare room for 16 elements.
    this.#segments = segments.every(isPlain) ? segments : segments.filter(isPlain);
  }

  get value(): T {
    return this.#hitWithoutGroups.value;
  }

  get hasExpression(): boolean {
    return this.#expression !== null;
  }

  get usesQuery(): boolean {
    return this.#query.length > 0;
  }

  /**
   * Returns a segment of `path` or `pathPrefix` if it is the same in every reading; otherwise null.
   *
   * @param index 0 for the first segment
   */
  segmentAt(index: number): string | null {
    const pattern = this.path ?? this.pathPrefix ?? '';
    let start = 1;
    for (; index > 0; index--) {
      const slash = pattern.indexOf('/', start);
      if (slash === -1) return null;
      start = slash + 1;
    }
    const end = pattern.indexOf('/', start);
    const segment = pattern.slice(start, end === -1 ? undefined : end);
    return PLAIN.test(segment) ? segment : null;
  }

  /**
   * Reports whether the route takes the request: every condition holds, or {@link hit} refuses the request.
   * Checks the cheapest conditions first. The index has checked the host.
   */
  matches(request: RouteRequest, query: QueryString | null): boolean {
    const { path } = request;
    if (this.path !== null && path !== this.path) return false;
    if (this.pathPrefix !== null && !isUnder(path, this.pathPrefix)) return false;
    if (this.#subprotocol !== null && !request.subprotocols.includes(this.#subprotocol)) return false;
    if (this.#certificate?.matches(request.certificate) === false) return false;
    for (const [name, value] of this.#headers) {
      const found = request.header(name);
      // Endpoints use the first, last or all of repeated lines, so hit() refuses them.
      if (found !== null && found !== value) return false;
    }
    for (const [key, value] of this.#query) {
      if (query?.has(key, value) !== true) return false;
    }
    return this.#expression === null || isTooLong(path) || this.#expression.test(path);
  }

  /** Returns which readings of the request's path the route can take; `some` if uncertain. */
  reach(request: RouteRequest, outline: PathOutline, query: QueryString | null): Reach {
    if (this.#subprotocol !== null && !request.subprotocols.includes(this.#subprotocol)) return 'none';
    if (this.#certificate?.matches(request.certificate) === false) return 'none';
    let isCertain = this.#expression === null && this.#query.length === 0;
    for (const [name, value] of this.#headers) {
      const found = request.header(name);
      if (found !== null && found !== value) return 'none';
      isCertain &&= found !== null;
    }
    if (!outline.hasQuery && !this.#query.every(([key, value]) => query!.has(key, value))) return 'none';
    const { head, segments } = outline;
    const pattern = this.path ?? this.pathPrefix;
    if (pattern !== null && (this.path !== null || !isUnder(head, pattern))) {
      if (!pattern.startsWith(head)) return 'none';
      if (segments !== null && !this.#segments.every((segment) => segments.has(segment))) return 'none';
      isCertain = false;
    }
    return isCertain ? 'all' : 'some';
  }

  /** Returns the route's hit or refusal of a request. Call it only if {@link matches} is true. */
  hit(request: RouteRequest): RouteHit<T> | RouteRefusal {
    const { path } = request;
    for (const [name] of this.#headers) {
      if (request.header(name) === null) return { status: 400, reason: `more than one ${name} header` };
    }
    for (const [key] of this.#query) {
      if (hasSeveralValues(request.query, key)) return SEVERAL_VALUES;
    }
    if (this.#expression === null) return this.#hitWithoutGroups;
    if (isTooLong(path)) return TOO_LONG;
    if (this.#expression.groupCount === 0) return this.#hitWithoutGroups;
    return { value: this.#hitWithoutGroups.value, groups: this.#expression.groups(path) ?? NO_GROUPS };
  }
}

/** Whether a path is too long for expressions. Normalized paths are ASCII: one character per byte. */
function isTooLong(path: string): boolean {
  return path.length > MAX_EXPRESSION_PATH_BYTES;
}

/** Reports whether a path starts with a prefix that ends at a segment boundary. */
function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith('/') || path.charAt(prefix.length) === '/';
}
