import type { ListenerTls } from '../config/types/listener.ts';
import type { TcpAddress } from '../core/address.ts';
import type { LiveMember } from '../core/collections/live-set.ts';
import type { TicketKeyRing } from '../core/ticket-key-ring.ts';
import { ipOfSocket } from '../wire/ip-address.ts';
import type { ProxyHeader } from '../wire/proxy-protocol/proxy-header.ts';
import type { ClientCertificate } from '../wire/tls/client-certificate.ts';
import type { Acceptor, AcceptorOwner } from './acceptor.ts';
import type { Channel } from './channel.ts';
import type { SocketEnds } from './connection-ends.ts';
import type { Admittance, EntryFacts, EntryRejection, EntryTerms } from './entry.ts';

/** Accepts clients' connections as channels. */
export interface ClientTransport {
  createAcceptor(address: TcpAddress, owner: ClientOwner): ClientAcceptor;
  /**
   * Prepares the TLS of a listener's connections.
   *
   * @param listener the listener's name
   * @throws Error if the settings cannot be used
   */
  createTls(listener: string, tls: ListenerTls, ticketKeys: TicketKeyRing): ClientTls;
}

/** An acceptor of clients. */
export interface ClientAcceptor extends Acceptor {
  /** Closes the connections that are not served yet. */
  closeArrivals(): void;
}

/** What the TLS connections of a listener share. */
export interface ClientTls {
  /** Frees it. Connections that have begun keep what they need. */
  close(): void;
}

/** Where connections go that are tunnelled undecrypted. */
export interface Passthrough {
  /** Lets a client in by its address, or refuses it. @param address as `normalizeIp` writes it */
  admit(address: string): Admittance;
  /** Returns null for a server name that the listener serves itself. */
  find(serverName: string | null): TunnelEntrance | null;
}

/** Takes connections that are tunnelled. */
export interface TunnelEntrance {
  /**
   * Takes a connection, of which nothing has been read but a PROXY header.
   *
   * @param connection a watched descriptor (`raw`), or a paused socket of Node (`net`)
   */
  take(connection: object, facts: EntryFacts): void;
}

/**
 * A client's connection. The client's FIN leaves it open for what is still to be sent: `end` or `destroy` closes it. A reset
 * closes it at once if it is paused, and else after the bytes that came before.
 */
export interface ClientChannel extends Channel, LiveMember {
  /** Asks the system for the ends of the connection. */
  ends(): SocketEnds;
}

/** What is known of a client's connection that can be served. */
export interface ClientFacts {
  /** The client's IP address as `normalizeIp` writes it: a PROXY header's, else the peer's. Empty if it is unknown. */
  readonly address: string;
  /** Null without a PROXY header. */
  readonly proxy: ProxyHeader | null;
  /** Null for a connection without TLS. */
  readonly tls: TlsFacts | null;
}

/** What a TLS handshake tells of a client. */
export interface TlsFacts {
  /** As in `ClientHello`. */
  readonly serverName: string | null;
  /** Null without one. */
  readonly certificate: ClientCertificate | null;
}

/** Returns what is known of a connection of which nothing has been read. @param peer its IP address as text */
export function factsOf(peer: string): ClientFacts {
  return { address: ipOfSocket(peer), proxy: null, tls: null };
}

/** Takes clients' connections. */
export interface ClientOwner extends Pick<AcceptorOwner<ClientChannel>, 'acceptFailed'> {
  /** What connections that are accepted now have to send first. */
  readonly entry: EntryTerms;
  /** For connections that are accepted now; null without TLS. */
  readonly tls: ClientTls | null;
  /** For connections that are accepted now; null for none. */
  readonly passthrough: Passthrough | null;
  /**
   * Counts a connection that has been accepted.
   *
   * @param descriptor undefined if it is unknown
   * @returns false if it must be closed at once; {@link clientClosed} follows in any case
   */
  clientArrived(descriptor: number | undefined): boolean;
  /**
   * Takes a connection that can be served. It has no owner, and nothing is read from it before `resume`. If this throws, the
   * connection is closed.
   */
  clientAccepted(channel: ClientChannel, facts: ClientFacts): void;
  /** A connection fails before it can be served. {@link clientClosed} follows. */
  clientRejected(rejection: EntryRejection): void;
  /** A connection belongs to a tunnel from now on, and counts as the tunnel's. No {@link clientClosed} follows. */
  clientTunnelled(): void;
  /**
   * The descriptor of a connection is closed. Called once for each that has arrived, behind `channelClosed`.
   *
   * @param channel null if it has not been accepted
   */
  clientClosed(channel: ClientChannel | null): void;
  /** {@link clientAccepted} has thrown, or the owner of a channel has. The connection is lost. */
  acceptFault(error: unknown): void;
}
