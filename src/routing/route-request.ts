/** What of a request a route is chosen by. */
export interface RouteRequest {
  /** As `hostOf` gives it: lower case, without port and trailing dot. */
  readonly host: string;
  /** As `normalizePath` gives it. */
  readonly path: string;
  /** As received, without the `?`; empty where there is none. */
  readonly query: string;
  /** What the client offers, in its order. */
  readonly subprotocols: readonly string[];
  /** The value of a header by its lower-case name; undefined without a line of it, null with several. */
  header(name: string): string | null | undefined;
}
