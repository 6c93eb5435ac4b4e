/** The routes of a listener: what they match, and what they do. */

export interface Route {
  /** Label of the route in metrics and logs: as configured, else `route-1` by its place in the list. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly headers: RouteHeaders;
}

/** What a route changes in the headers of requests that go upstream, and of all its answers. */
export interface RouteHeaders {
  readonly request: HeaderChanges;
  readonly response: HeaderChanges;
}

/** Names are lower case. */
export interface HeaderChanges {
  /** In place of what was received. */
  readonly set: ReadonlyMap<string, string>;
  /** Beside what was received. */
  readonly add: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** Every condition that is set must hold. Host, header and subprotocol names are lower case. */
export interface RouteMatch {
  /** `example.com` or `*.example.com` (one label or more in place of the star), without a port. */
  readonly host: string | null;
  readonly path: string | null;
  /** Matches on segment borders: `/chat` matches `/chat` and `/chat/x`, not `/chatter`. */
  readonly pathPrefix: string | null;
  /** Source of a regular expression in RE2 syntax, which `LinearExpression` takes. */
  readonly pathRegex: string | null;
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** One of the subprotocols that the client offers; compared as it stands. */
  readonly subprotocol: string | null;
}

export type RouteAction = ClusterAction | StaticAction | RespondAction | RedirectAction;

export interface ClusterAction {
  readonly kind: 'cluster';
  readonly cluster: string;
  /** Whether the route takes WebSocket handshakes only, plain requests also, or plain requests alone. */
  readonly upgrade: UpgradePolicy;
  readonly rewrite: Rewrite;
}

type UpgradePolicy = 'only' | 'also' | 'never';

/** What of a request changes before it goes upstream; null is left as it is. */
export interface Rewrite {
  /** In place of the client's Host. */
  readonly host: string | null;
  /** Prefix taken off the path. */
  readonly stripPrefix: string | null;
  /** In place of the path, with `$1`..`$9` for the groups of the route's pathRegex; not with a prefix to strip. */
  readonly path: string | null;
}

export interface StaticAction {
  readonly kind: 'static';
  /** Absolute path of a directory. */
  readonly root: string;
  /** File name served for a path that ends in a slash. */
  readonly index: string;
  /** Path below the root of the file that is served, with 200, where there is none; null for 404. */
  readonly fallback: string | null;
  /** Whether `file.br` and `file.gz` are sent in place of `file` to clients that take them. */
  readonly precompressed: boolean;
  /** Cache-Control of what is served; null for none. */
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
  /** Target with `$1`..`$9` for the groups of the route's pathRegex. */
  readonly to: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
}
