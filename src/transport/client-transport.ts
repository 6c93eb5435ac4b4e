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
import type { AdmitResult, EntryFacts, EntryRejection, EntryTerms } from './entry.ts';

/** Accepts clients' connections as channels. */
export interface ClientTransport {
  createAcceptor(address: TcpAddress, owner: ClientOwner): ClientAcceptor;
  /**
   * Prepares the TLS of a listener's connections.
   *
   * @param listener the listener's name
   * @throws Error if OpenSSL rejects the settings
   */
  createTls(listener: string, tls: ListenerTls, ticketKeys: TicketKeyRing): ClientTls;
}

/** An acceptor of clients' connections. */
export interface ClientAcceptor extends Acceptor {
  /** Closes connections that are not served yet. */
  closeArrivals(): void;
}

/** State shared by the TLS connections of a listener. */
export interface ClientTls {
  /** Frees the state. Open connections keep what they need. */
  close(): void;
}

/** Destinations of connections that are tunnelled without decryption. */
export interface Passthrough {
  /** Admits or refuses a client by its address. @param address in the form of `normalizeIp` */
  admit(address: string): AdmitResult;
  /** Returns null for a server name that the listener serves itself. */
  find(serverName: string | null): TunnelEntrance | null;
}

/** Receives connections to tunnel. */
export interface TunnelEntrance {
  /**
   * Takes over a connection. Only its PROXY header, if any, has been read.
   *
   * @param connection a watched descriptor (`raw`) or a paused Node socket (`net`)
   */
  take(connection: object, facts: EntryFacts): void;
}

/**
 * A client's connection. It stays open after the client's FIN, so that remaining bytes can be sent: `end` or
 * `destroy` closes it. A reset closes a paused connection at once, and others after the bytes received
 * before.
 */
export interface ClientChannel extends Channel, LiveMember {
  /** Reads both addresses of the connection from the system. */
  ends(): SocketEnds;
}

/** Facts about a client's connection that is ready to be served. */
export interface ClientFacts {
  /**
   * Client's IP address in the form of `normalizeIp`: from a PROXY header, or the peer's. Empty if unknown.
   */
  readonly address: string;
  /** Null without a PROXY header. */
  readonly proxy: ProxyHeader | null;
  /** Null for a connection without TLS. */
  readonly tls: TlsFacts | null;
}

/** Facts about a client from its TLS handshake. */
export interface TlsFacts {
  /** As in `ClientHello`. */
  readonly serverName: string | null;
  /** Null without a certificate. */
  readonly certificate: ClientCertificate | null;
}

/** Returns the facts of a connection before any byte is read. @param peer its IP address as text */
export function factsOf(peer: string): ClientFacts {
  return { address: ipOfSocket(peer), proxy: null, tls: null };
}

/** Receives clients' connections. */
export interface ClientOwner extends Pick<AcceptorOwner<ClientChannel>, 'acceptFailed'> {
  /** First bytes required of newly accepted connections. */
  readonly entry: EntryTerms;
  /** TLS for newly accepted connections. Null without TLS. */
  readonly tls: ClientTls | null;
  /** Passthrough for newly accepted connections. Null without any. */
  readonly passthrough: Passthrough | null;
  /**
   * Counts an accepted connection.
   *
   * @param descriptor undefined if unknown
   * @returns false if the caller must close it at once; {@link clientClosed} follows either way
   */
  clientArrived(descriptor: number | undefined): boolean;
  /**
   * Called when a connection can be served. It has no owner, and is not read before `resume`. If this throws,
   * the connection is closed.
   */
  clientAccepted(channel: ClientChannel, facts: ClientFacts): void;
  /** Called when a connection fails before it can be served. {@link clientClosed} follows. */
  clientRejected(rejection: EntryRejection): void;
  /**
   * Called when a connection becomes a tunnel, which counts it from then on. No {@link clientClosed} follows.
   */
  clientTunnelled(): void;
  /**
   * Called after a connection's descriptor closed: once for each arrived connection, after `channelClosed`.
   *
   * @param channel null if the connection was never accepted
   */
  clientClosed(channel: ClientChannel | null): void;
  /** Called when {@link clientAccepted} or a channel's owner throws. The connection is lost. */
  acceptFault(error: unknown): void;
}
