/** Finds the addresses of a client's connection to forward to an endpoint. */
import type { Socket } from 'node:net';
import type { Sockets } from '../sys/sockets/sockets.ts';
import { ipOfSocket } from '../wire/ip-address.ts';
import type { ConnectionEnds } from '../wire/proxy-protocol/proxy-header-writer.ts';
import type { AddressAndPort } from '../wire/proxy-protocol/proxy-header.ts';
import type { EntryFacts } from './entry.ts';

/** The two addresses of a connection, from its socket. */
export interface SocketEnds {
  /** The client's end. Null if the client is gone. */
  readonly source: AddressAndPort | null;
  /** The proxy's end. Null if the socket is closed. */
  readonly destination: AddressAndPort | null;
}

const UNKNOWN: AddressAndPort = { address: '', port: 0 };

const CLOSED: SocketEnds = { source: null, destination: null };

/** Returns both ends of a descriptor's connection. @param fd -1 if it is closed */
export function endsOfDescriptor(sockets: Pick<Sockets, 'remoteEnd' | 'localEnd'>, fd: number): SocketEnds {
  if (fd < 0) return CLOSED;
  const source = sockets.remoteEnd(fd);
  const destination = sockets.localEnd(fd);
  return {
    source: source && endOf(source.address, source.port),
    destination: destination && endOf(destination.address, destination.port),
  };
}

/** Returns both ends of a Node socket's connection. */
export function endsOfSocket(
  socket: Partial<Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>>,
): SocketEnds {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return { source: endOf(remoteAddress, remotePort), destination: endOf(localAddress, localPort) };
}

/**
 * Returns the addresses to forward to an endpoint: from a PROXY header, or the connection's own ends.
 *
 * @param client supplies the address if its socket no longer knows its ends
 * @param serverName from the client's TLS handshake; null if unknown
 * @param own reads the connection's own ends
 */
export function forwardedEnds(
  { address, proxy }: Pick<EntryFacts, 'address' | 'proxy'>,
  serverName: string | null,
  own: () => SocketEnds,
): ConnectionEnds {
  const name = serverName ?? proxy?.serverName ?? null;
  if (proxy?.source && proxy.destination)
    return { source: proxy.source, destination: proxy.destination, serverName: name };
  const { source, destination } = own();
  return {
    source: source ?? { address, port: 0 },
    destination: destination ?? UNKNOWN,
    serverName: name,
  };
}

function endOf(address: string | undefined, port: number | undefined): AddressAndPort | null {
  if (address === undefined || port === undefined) return null;
  return { address: ipOfSocket(address), port };
}
