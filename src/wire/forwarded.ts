import { isIP } from 'node:net';
import { headerOf, joinedHeaderOf, listMembers, type RequestHead } from './request-head.ts';

/** What the connection itself tells of the client. */
export interface ClientConnection {
  /** The peer's IP address as text. */
  readonly address: string;
  /** The port of the listener. */
  readonly port: number;
  readonly secure: boolean;
}

/** The names that {@link forwardedHeaders} sets. A client's own are dropped or carried on by it. */
export const FORWARDED_NAMES: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
  'x-request-id',
  'forwarded',
]);

/** What an endpoint and the log are told of where a request came from. */
export interface Forwarded {
  /** X-Real-IP: the nearest address that is not one of ours. */
  readonly clientAddress: string;
  readonly requestId: string;
  /** name, value, name, value ... as they go upstream. */
  readonly headers: readonly string[];
}

const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/**
 * Makes X-Forwarded-For, -Proto, -Host, -Port, X-Real-IP and X-Request-Id. Those that the client sent are
 * believed, and added to, only where the peer is a trusted proxy; else they are replaced, and `Forwarded`
 * (RFC 7239) is dropped.
 *
 * @param trusted says of an address whether it is a proxy of ours
 * @param newRequestId called where no trusted proxy has given the request an id
 */
export function forwardedHeaders(
  head: RequestHead,
  connection: ClientConnection,
  trusted: (address: string) => boolean,
  newRequestId: () => string,
): Forwarded {
  const believe = trusted(connection.address);
  const own = (name: string): string | undefined => (believe ? headerOf(head, name) : undefined);
  const chain = believe ? listMembers(joinedHeaderOf(head, 'x-forwarded-for')) : [];
  const offeredId = own('x-request-id');
  const requestId = offeredId !== undefined && REQUEST_ID.test(offeredId) ? offeredId : newRequestId();
  const clientAddress = nearestForeign(chain, connection.address, trusted);
  const headers = [
    'X-Forwarded-For',
    [...chain, connection.address].join(', '),
    'X-Forwarded-Proto',
    own('x-forwarded-proto') ?? (connection.secure ? 'https' : 'http'),
    'X-Forwarded-Host',
    own('x-forwarded-host') ?? headerOf(head, 'host') ?? '',
    'X-Forwarded-Port',
    own('x-forwarded-port') ?? String(connection.port),
    'X-Real-IP',
    clientAddress,
    'X-Request-Id',
    requestId,
  ];
  const forwarded = believe ? joinedHeaderOf(head, 'forwarded') : undefined;
  if (forwarded !== undefined) headers.push('Forwarded', forwarded);
  return { clientAddress, requestId, headers };
}

/** Walks the chain from the near end over addresses of ours; what is behind the first stranger is hearsay. */
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
