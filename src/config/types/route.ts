/** Routes of a listener: their matches and actions. */
import type { AccessSettings } from './access.ts';
import type { ErrorPageSettings } from './error-page.ts';
import type { LimitSettings } from './limits.ts';

export interface Route {
  /** Name in metrics and logs: the configured one, or `route-1` by its position in the list. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly headers: RouteHeaders;
  /** The route's settings, already merged with the listener's. Null admits everyone. */
  readonly access: AccessSettings | null;
  /** Limits in addition to the listener's. */
  readonly limits: readonly LimitSettings[];
  /** Error pages that replace the listener's of the same key. Null for short texts only. */
  readonly errorPages: ErrorPageSettings | null;
}

/** Header changes: to requests that go upstream, and to all responses of the route. */
export interface RouteHeaders {
  readonly request: HeaderChanges;
  readonly response: HeaderChanges;
}

/** Header changes. Names are in lower case. */
export interface HeaderChanges {
  /** Headers that replace received ones. */
  readonly set: ReadonlyMap<string, string>;
  /** Headers added to received ones. */
  readonly add: ReadonlyMap<string, string>;
  /** Names of received headers to drop. */
  readonly remove: readonly string[];
}

/** Conditions of a route. All must hold. Names of hosts and headers are in lower case. */
export interface RouteMatch {
  /**
   * `example.com` or `*.example.com`, without a port. The star matches one or more labels. One of them must
   * match. Empty for any host.
   */
  readonly hosts: readonly string[];
  readonly path: string | null;
  /** A prefix of whole segments: `/chat` matches `/chat` and `/chat/x`, not `/chatter`. */
  readonly pathPrefix: string | null;
  /** Source of a regular expression in RE2 syntax, for `LinearExpression`. */
  readonly pathRegex: string | null;
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** One of the subprotocols that the client offers, case-sensitive. */
  readonly subprotocol: string | null;
  /** Null for any client, with or without a certificate. */
  readonly clientCertificate: ClientCertificateMatch | null;
}

/**
 * Conditions on a client's verified certificate. All must hold, and at least one is set. Null for no
 * condition.
 */
export interface ClientCertificateMatch {
  /** The subject in RFC 2253 format: `CN=alice,O=example`. */
  readonly subject: string | null;
  /** One of the subject alternative names: a DNS name, URI, email address or IP address. */
  readonly san: string | null;
  /** SHA-256 of the certificate in DER, in lower-case hex without colons. */
  readonly fingerprint: string | null;
}

export type RouteAction = ClusterAction | StaticAction | RespondAction | RedirectAction;

export interface ClusterAction {
  readonly kind: 'cluster';
  readonly cluster: string;
  /** Whether the route serves only upgrades, also plain requests, or only plain requests. */
  readonly upgrade: UpgradePolicy;
  readonly rewrite: Rewrite;
}

type UpgradePolicy = 'only' | 'also' | 'never';

/** Changes to a request that goes upstream. Null for no change. */
export interface Rewrite {
  /** Replaces the client's Host. */
  readonly host: string | null;
  /** Prefix to remove from the path. */
  readonly stripPrefix: string | null;
  /** Replaces the path. `$1` to `$9` are the groups of the route's pathRegex. Excludes `stripPrefix`. */
  readonly path: string | null;
}

export interface StaticAction {
  readonly kind: 'static';
  /** Absolute path of a directory. */
  readonly root: string;
  /** File name served for a path that ends in a slash. */
  readonly index: string;
  /** Path of a file below the root, served with 200 if the requested file does not exist. Null for 404. */
  readonly fallback: string | null;
  /** Whether clients that accept it get `file.br` or `file.gz` instead of `file`. */
  readonly precompressed: boolean;
  /** Cache-Control of the responses. Null for none. */
  readonly cacheControl: string | null;
}

export interface RespondAction {
  readonly kind: 'respond';
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  /** Target. `$1` to `$9` are the groups of the route's pathRegex. */
  readonly to: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
}
