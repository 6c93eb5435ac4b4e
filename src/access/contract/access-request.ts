import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';

/** Facts about a request that decide its access. Layer 7 creates it after routing. */
export interface AccessRequest {
  readonly head: RequestHead;
  /** The client that sent the request, possibly as named by trusted proxies in front. */
  readonly client: ClientIdentity;
  /** The route's name. */
  readonly route: string;
  /** The request's host in lower case, without the port. Empty if an HTTP/1.0 request has none. */
  readonly host: string;
  /** The normalised path that routes match and endpoints receive. `head.path` is the path as received. */
  readonly path: string;
  /** Whether the client requests a WebSocket upgrade. */
  readonly wantsUpgrade: boolean;
}
