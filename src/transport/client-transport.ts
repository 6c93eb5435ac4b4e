import type { TcpAddress } from '../core/address.ts';
import type { LiveMember } from '../core/collections/live-set.ts';
import type { Acceptor, AcceptorOwner } from './acceptor.ts';
import type { Channel } from './channel.ts';

/** Accepts clients' connections as channels. */
export interface ClientTransport {
  createAcceptor(address: TcpAddress, owner: ClientOwner): Acceptor;
}

/**
 * A client's connection. The client's FIN leaves it open for what is still to be sent: `end` or `destroy` closes it. A reset
 * closes it at once if it is paused, and else after the bytes that came before.
 */
export interface ClientChannel extends Channel, LiveMember {}

/** Takes clients' connections. */
export interface ClientOwner extends Pick<AcceptorOwner<ClientChannel>, 'acceptFailed'> {
  /**
   * Takes a connection. It has no owner, and nothing is read from it before `resume`. If this throws, the connection is
   * closed.
   *
   * @param peer the client's IP address as text; empty if it is unknown
   * @param descriptor undefined if it is unknown
   */
  clientAccepted(channel: ClientChannel, peer: string, descriptor: number | undefined): void;
  /** The descriptor of an accepted connection is closed. Called once for each, behind `channelClosed`. */
  clientClosed(channel: ClientChannel): void;
  /** {@link clientAccepted} has thrown, or the owner of a channel has. The connection is lost. */
  acceptFault(error: unknown): void;
}
