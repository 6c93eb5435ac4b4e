import { isIP } from 'node:net';
import { headerOf, joinedHeaderOf, listMembers, type RequestHead } from '../request-head.ts';

/** Facts about a client's connection, taken from the socket and the listener. */
export interface ClientConnection {
  /** The peer's IP address as text. */
  readonly address: string;
  /** The port of the listener. */
  readonly port: number;
  readonly secure: boolean;
}

/** Who sent a request: found once, at the beginning, for every request. */
export interface ClientIdentity {
  /** The nearest IP address that is not a trusted proxy's. */
  readonly address: string;
  /** A trusted proxy's X-Request-Id, or a new one. */
  readonly requestId: string;
  /** Whether the peer is a trusted proxy, so that its forwarding headers are believed. */
  readonly believed: boolean;
  /** The scheme that the client used: what a trusted proxy says, else what the connection shows. */
  readonly proto: string;
  /** Whether the client used TLS, by {@link proto}. */
  readonly secure: boolean;
}

const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/**
 * Finds out who sent a request. Forwarding headers count only if the peer is a trusted proxy.
 *
 * @param trusted says of an address whether it is a trusted proxy
 * @param newRequestId called if no trusted proxy has given the request an id
 */
export function identifyClient(
  head: RequestHead,
  connection: ClientConnection,
  trusted: (address: string) => boolean,
  newRequestId: () => string,
): ClientIdentity {
  const { address: peer, secure } = connection;
  const own = secure ? 'https' : 'http';
  if (!trusted(peer)) {
    return { address: peer, requestId: newRequestId(), believed: false, proto: own, secure };
  }
  const chain = listMembers(joinedHeaderOf(head, 'x-forwarded-for'));
  const offeredId = headerOf(head, 'x-request-id') ?? '';
  const proto = headerOf(head, 'x-forwarded-proto') || own;
  return {
    address: nearestForeign(chain, peer, trusted),
    requestId: REQUEST_ID.test(offeredId) ? offeredId : newRequestId(),
    believed: true,
    proto,
    secure: /^(?:https|wss)$/i.test(proto),
  };
}

/** Walks the chain from the near end over trusted proxies, and stops at the first other address. */
function nearestForeign(
  chain: readonly string[],
  peer: string,
  trusted: (address: string) => boolean,
): string {
  let nearest = peer;
  for (let index = chain.length - 1; index >= 0 && trusted(nearest); index--) {
    const next = chain[index]!;
    if (isIP(next) === 0) break;
    nearest = next;
  }
  return nearest;
}
