import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';

/** What a request shows of its client. Layer 7 makes it when the request has found its route. */
export interface AccessRequest {
  readonly head: RequestHead;
  /** The sender, as the proxies in front name it if they are trusted. */
  readonly client: ClientIdentity;
  /** The name of the route. */
  readonly route: string;
  /** The host of the request without its port, in lower case. Empty if a request of HTTP/1.0 has none. */
  readonly host: string;
  /** The normalised path, which routes match and endpoints get. `head.path` is as received. */
  readonly path: string;
  /** Whether the client asks for a WebSocket. */
  readonly wantsUpgrade: boolean;
}
