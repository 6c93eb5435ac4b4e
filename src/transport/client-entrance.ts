import type { TimerWheel } from '../core/timing/timer-wheel.ts';
import type { AcceptorOwner } from './acceptor.ts';
import type { ClientOwner, ClientTls, TunnelEntrance } from './client-transport.ts';
import {
  NOT_TLS,
  hasHello,
  isRefused,
  refusedClient,
  refusedName,
  type ArrivalOwner,
  type EntryFacts,
  type EntryRejection,
  type HelloFacts,
  type Refusal,
} from './entry.ts';

/**
 * Decides where connections go after they have sent the required first bytes: to a tunnel, a TLS handshake,
 * the owner, or nowhere. `Connection` is the type the transport watches.
 */
export abstract class ClientEntrance<Connection extends object>
  implements ArrivalOwner<Connection>, Pick<AcceptorOwner<never>, 'acceptFailed' | 'acceptFault'>
{
  protected readonly owner: ClientOwner;
  readonly #wheel: TimerWheel;

  constructor(owner: ClientOwner, wheel: TimerWheel) {
    this.owner = owner;
    this.#wheel = wheel;
  }

  entered(connection: Connection, facts: EntryFacts, since: number): void {
    const { tls, passthrough } = this.owner;
    if (!hasHello(facts)) {
      if (tls === null) {
        this.servePlain(connection, facts);
      } else {
        this.close(connection);
        this.#refused(NOT_TLS, facts, since);
      }
      return;
    }
    const { serverName } = facts.hello;
    const tunnels = passthrough?.find(serverName) ?? null;
    if (passthrough !== null && tunnels !== null) {
      const admittance = passthrough.admit(facts.address);
      if (isRefused(admittance)) {
        this.close(connection);
        this.#refused(refusedClient(admittance, facts), facts, since);
      } else {
        this.#tunnel(connection, admittance === null ? facts : { ...facts, holds: admittance }, tunnels);
      }
    } else if (tls !== null) {
      this.secure(connection, tls, facts, since);
    } else {
      this.refuseName(connection);
      this.#refused(refusedName(serverName), facts, since);
    }
  }

  rejected(rejection: EntryRejection): void {
    this.owner.clientRejected(rejection);
    this.owner.clientClosed(null);
  }

  lost(fault: unknown): void {
    if (fault !== null) this.owner.acceptFault(fault);
    this.owner.clientClosed(null);
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.owner.acceptFailed(code, isFirst);
  }

  acceptFault(error: unknown): void {
    this.owner.acceptFault(error);
  }

  /** Serves a connection without TLS. May throw, like {@link entered}. */
  protected abstract servePlain(connection: Connection, facts: EntryFacts): void;

  /** Starts a TLS handshake. May throw, like {@link entered}. @param since see {@link entered} */
  protected abstract secure(connection: Connection, tls: ClientTls, facts: HelloFacts, since: number): void;

  /**
   * Closes a connection whose hello is still in the socket. The client gets the alert `unrecognized_name`.
   */
  protected abstract refuseName(connection: Connection): void;

  protected abstract close(connection: Connection): void;

  /**
   * Passes a connection to a tunnel, which counts it from here on. A fault loses the connection, and nothing
   * is counted here.
   */
  #tunnel(connection: Connection, facts: EntryFacts, tunnels: TunnelEntrance): void {
    this.owner.clientTunnelled();
    try {
      tunnels.take(connection, facts);
    } catch (error) {
      this.close(connection);
      facts.holds?.release();
      this.owner.acceptFault(error);
    }
  }

  #refused(refusal: Refusal, { peer }: EntryFacts, since: number): void {
    this.rejected({ ...refusal, peer, seconds: (this.#wheel.now - since) / 1000 });
  }
}
