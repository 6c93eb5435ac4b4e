/** Access rules of listeners and routes. */

/** Conditions for clients. All must hold. */
export interface AccessSettings {
  /** CIDR blocks of refused clients. Takes precedence over `allow`. */
  readonly deny: readonly string[];
  /** CIDR blocks of the only admitted clients. Null for all. */
  readonly allow: readonly string[] | null;
  /** Null admits upgrades from any origin. */
  readonly origins: OriginSettings | null;
  readonly basic: BasicSettings | null;
  readonly jwt: JwtSettings | null;
  readonly forwardAuth: ForwardAuthSettings | null;
}

/** Origins (RFC 6454) whose pages may open WebSockets. */
export interface OriginSettings {
  /** Whether the origin that equals the client's own Host passes. */
  readonly allowsSelf: boolean;
  /** Whether the origin `null` passes. Sandboxed pages and local files send it. */
  readonly allowsNull: boolean;
  readonly patterns: readonly OriginPattern[];
  /** Whether an upgrade without an Origin header is refused. */
  readonly isRequired: boolean;
}

export interface OriginPattern {
  /** In lower case, without the colon. */
  readonly scheme: string;
  /** In lower case. The star in `*.example.com` matches one or more labels. */
  readonly host: string;
  /** Null for any port. A pattern without a port has its scheme's default port. */
  readonly port: number | null;
}

/** Passwords (RFC 7617) from an htpasswd file. */
export interface BasicSettings {
  /** Absolute path. */
  readonly file: string;
  /** Hashed passwords, keyed by user name. */
  readonly users: ReadonlyMap<string, string>;
  readonly realm: string;
}

/** Where a request carries its token. Header names are in lower case. */
export interface TokenSource {
  readonly kind: 'header' | 'cookie' | 'query' | 'subprotocol';
  readonly name: string;
}

/** Keys that verify tokens: the text of a JSON Web Key Set (RFC 7517), or its URL. */
export type JwtKeys =
  | { readonly kind: 'file'; readonly file: string; readonly jwks: string }
  | { readonly kind: 'url'; readonly url: string };

/** JSON Web Tokens (RFC 7519). */
export interface JwtSettings {
  readonly keys: JwtKeys;
  /** Accepted algorithms (RFC 7518). Never empty, never `none`. */
  readonly algorithms: readonly string[];
  /** Accepted values of `iss`. Empty for any. */
  readonly issuers: readonly string[];
  /** Accepted values of `aud`. Empty for any. */
  readonly audiences: readonly string[];
  /** Sources in the order in which they are checked. */
  readonly from: readonly TokenSource[];
  /** Accepted values, keyed by claim. A claim that is a list needs one of them. */
  readonly requiredClaims: ReadonlyMap<string, readonly string[]>;
  /** Claims whose values endpoints get, keyed by header name in lower case. */
  readonly forward: ReadonlyMap<string, string>;
  /** What happens to a session when its token expires. */
  readonly atExpiry: 'close' | 'ignore';
  /** Time that a session may continue after its token has expired. */
  readonly graceMs: number;
  /** Max clock difference. Applies to `iat` and `nbf`, and to `exp` only at the handshake. */
  readonly leewayMs: number;
}

/** A server that decides about each request, like Traefik's ForwardAuth and nginx's auth_request. */
export interface ForwardAuthSettings {
  readonly url: string;
  /** Headers of its response that endpoints get, in lower case. The first names the principal. */
  readonly headers: readonly string[];
  readonly timeoutMs: number;
  /** Max concurrent requests to the server, per worker. */
  readonly maxConcurrent: number;
  /** What happens to requests while the server does not answer. */
  readonly onFailure: 'refuse' | 'admit';
}
