/** The routes of a listener: what they match, and what they do. */
import type { AccessSettings } from './access.ts';
import type { LimitSettings } from './limits.ts';

export interface Route {
  /** Name in metrics and logs: the configured one, else `route-1` by its place in the list. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly headers: RouteHeaders;
  /** The route's own settings in place of those of the listener; null to let everybody in. */
  readonly access: AccessSettings | null;
  /** Limits besides those of the listener. */
  readonly limits: readonly LimitSettings[];
}

/** Changes to the headers of requests that go upstream, and of all responses of the route. */
export interface RouteHeaders {
  readonly request: HeaderChanges;
  readonly response: HeaderChanges;
}

/** Changes to headers. Names are in lower case. */
export interface HeaderChanges {
  /** Headers that replace received ones. */
  readonly set: ReadonlyMap<string, string>;
  /** Headers that are added to received ones. */
  readonly add: ReadonlyMap<string, string>;
  /** Names of received headers that are dropped. */
  readonly remove: readonly string[];
}

/** The conditions of a route, which must all hold. Names of hosts and headers are in lower case. */
export interface RouteMatch {
  /** `example.com`, or `*.example.com` for one label or more in place of the star; without a port. */
  readonly host: string | null;
  readonly path: string | null;
  /** A prefix of whole segments: `/chat` matches `/chat` and `/chat/x`, not `/chatter`. */
  readonly pathPrefix: string | null;
  /** Source of a regular expression in RE2 syntax, for `LinearExpression`. */
  readonly pathRegex: string | null;
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** One of the subprotocols that the client offers, with its case. */
  readonly subprotocol: string | null;
  /** Null for any client, with a certificate or without one. */
  readonly clientCertificate: ClientCertificateMatch | null;
}

/** Conditions on a client's verified certificate, which must all hold. Null for no condition. At least one is set. */
export interface ClientCertificateMatch {
  /** The subject as RFC 2253 writes it: `CN=alice,O=example`. */
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
  /** Whether the route takes handshakes only, plain requests also, or plain requests only. */
  readonly upgrade: UpgradePolicy;
  readonly rewrite: Rewrite;
}

type UpgradePolicy = 'only' | 'also' | 'never';

/** Changes to a request that goes upstream; null for no change. */
export interface Rewrite {
  /** Replaces the client's Host. */
  readonly host: string | null;
  /** Prefix that is taken off the path. */
  readonly stripPrefix: string | null;
  /** Replaces the path, with `$1` to `$9` for the groups of the route's pathRegex. Excludes `stripPrefix`. */
  readonly path: string | null;
}

export interface StaticAction {
  readonly kind: 'static';
  /** Absolute path of a directory. */
  readonly root: string;
  /** File name that is served for a path that ends in a slash. */
  readonly index: string;
  /** Path, below the root, of the file that is served with 200 if the wanted file does not exist; null for 404. */
  readonly fallback: string | null;
  /** Whether clients that accept it get `file.br` or `file.gz` instead of `file`. */
  readonly precompressed: boolean;
  /** Cache-Control of the responses; null for none. */
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
  /** Target, with `$1` to `$9` for the groups of the route's pathRegex. */
  readonly to: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
}
