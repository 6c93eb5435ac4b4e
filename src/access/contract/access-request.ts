import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';

/** What a request shows of its client. */
export interface AccessRequest {
  readonly head: RequestHead;
  readonly client: ClientIdentity;
  /** The name of the route. */
  readonly route: string;
  /** The host of the request without its port, in lower case. Empty if a request of HTTP/1.0 has none. */
  readonly host: string;
  /** Whether the client asks for a WebSocket. */
  readonly wantsUpgrade: boolean;
}
