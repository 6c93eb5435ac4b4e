import type { ClientCertificate } from '../wire/tls/client-certificate.ts';

/** The facts of a request that select its route. */
export interface RouteRequest {
  /** As returned by `hostOf`: lower case, without port and trailing dot. */
  readonly host: string;
  /** As returned by `normalizePath`. */
  readonly path: string;
  /** As received, without the `?`; empty if there is none. */
  readonly query: string;
  /** Subprotocols that the client offers, in order. */
  readonly subprotocols: readonly string[];
  /** The client's verified certificate; null without one. */
  readonly certificate: ClientCertificate | null;
  /**
   * Returns the value of a header, named in lower case: undefined if it is missing, null if it is repeated.
   */
  header(name: string): string | null | undefined;
}
