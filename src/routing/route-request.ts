import type { ClientCertificate } from '../wire/tls/client-certificate.ts';

/** The facts of a request that choose its route. */
export interface RouteRequest {
  /** As `hostOf` returns it: lower case, without port and trailing dot. */
  readonly host: string;
  /** As `normalizePath` returns it. */
  readonly path: string;
  /** As received, without the `?`; empty if there is none. */
  readonly query: string;
  /** The subprotocols that the client offers, in its order. */
  readonly subprotocols: readonly string[];
  /** The certificate by which the client has proven who it is; null without one. */
  readonly certificate: ClientCertificate | null;
  /**
   * Returns the value of a header by its lower-case name: undefined if the header is missing, null if it has several
   * lines.
   */
  header(name: string): string | null | undefined;
}
