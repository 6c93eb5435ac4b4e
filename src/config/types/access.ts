/** Who may use a listener or a route. */

/** The conditions for a client, which must all hold. */
export interface AccessSettings {
  /** CIDR blocks of clients that are refused, also if `allow` has them. */
  readonly deny: readonly string[];
  /** CIDR blocks of the only clients that are let in; null for all. */
  readonly allow: readonly string[] | null;
  /** Null to let upgrades of any origin in. */
  readonly origins: OriginSettings | null;
  readonly basic: BasicSettings | null;
  readonly jwt: JwtSettings | null;
  readonly forwardAuth: ForwardAuthSettings | null;
}

/** The origins (RFC 6454) whose pages may open WebSockets. */
export interface OriginSettings {
  /** Whether the origin of the client's own Host passes. */
  readonly allowsSelf: boolean;
  /** Whether the origin `null` passes, which sandboxed pages and local files have. */
  readonly allowsNull: boolean;
  readonly patterns: readonly OriginPattern[];
  /** Whether an upgrade without an Origin header is refused. */
  readonly isRequired: boolean;
}

export interface OriginPattern {
  /** In lower case, without the colon. */
  readonly scheme: string;
  /** In lower case. `*.example.com` stands for one label or more in place of the star. */
  readonly host: string;
  /** Null for any port. A pattern without a port has its scheme's default port. */
  readonly port: number | null;
}

/** Passwords (RFC 7617) of an htpasswd file. */
export interface BasicSettings {
  /** Absolute path. */
  readonly file: string;
  /** Hashed passwords by the user's name. */
  readonly users: ReadonlyMap<string, string>;
  readonly realm: string;
}

/** Where a request carries its token. The name of a header is in lower case. */
export interface TokenSource {
  readonly kind: 'header' | 'cookie' | 'query' | 'subprotocol';
  readonly name: string;
}

/** The keys that verify tokens: the text of a JSON Web Key Set (RFC 7517), or the URL of one. */
export type JwtKeys =
  | { readonly kind: 'file'; readonly file: string; readonly jwks: string }
  | { readonly kind: 'url'; readonly url: string };

/** JSON Web Tokens (RFC 7519). */
export interface JwtSettings {
  readonly keys: JwtKeys;
  /** The accepted algorithms (RFC 7518); never empty, never `none`. */
  readonly algorithms: readonly string[];
  /** Accepted values of `iss`; empty for any. */
  readonly issuers: readonly string[];
  /** Accepted values of `aud`; empty for any. */
  readonly audiences: readonly string[];
  /** In the order in which they are looked at. */
  readonly from: readonly TokenSource[];
  /** By claim: the accepted values. A claim that is a list needs one of them. */
  readonly requiredClaims: ReadonlyMap<string, readonly string[]>;
  /** By header in lower case: the claim whose value endpoints get. */
  readonly forward: ReadonlyMap<string, string>;
  /** What happens to a session when its token expires. */
  readonly atExpiry: 'close' | 'ignore';
  /** Time for which a session lives on after its token has expired. */
  readonly graceMs: number;
  /** Max difference of clocks. It counts for `iat` and `nbf`, and for `exp` at the handshake only. */
  readonly leewayMs: number;
}

/** A server that decides about each request, as Traefik's ForwardAuth and nginx's auth_request ask it. */
export interface ForwardAuthSettings {
  readonly url: string;
  /** Headers of its answer that endpoints get, in lower case. The first names the principal. */
  readonly headers: readonly string[];
  readonly timeoutMs: number;
  /** Max requests to the server at once, in each worker. */
  readonly maxConcurrent: number;
  /** What happens to requests while the server does not answer. */
  readonly onFailure: 'refuse' | 'admit';
}
