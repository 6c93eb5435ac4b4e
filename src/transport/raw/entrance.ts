import { LiveSet } from '../../core/collections/live-set.ts';
import type { Watched } from '../../loop/poller.ts';
import type { TlsStream } from '../../sys/tls/tls-stream.ts';
import { readClientCertificate } from '../../wire/tls/client-certificate.ts';
import type { ClientHello } from '../../wire/tls/client-hello.ts';
import type { AcceptorOwner } from '../acceptor.ts';
import {
  factsOf,
  type ClientFacts,
  type ClientOwner,
  type TunnelEntrance,
  type TlsFacts,
} from '../client-transport.ts';
import {
  hasEntryStages,
  NOT_TLS,
  refusedName,
  type ArrivalOwner,
  type EntryFacts,
  type EntryRejection,
  type Refusal,
} from '../entry.ts';
import { refuseName } from './name-refusal.ts';
import { RawArrivals } from './raw-arrivals.ts';
import { RawClient } from './raw-client.ts';
import type { RawHome } from './raw-home.ts';
import { RawTls } from './raw-tls.ts';
import { TlsClient } from './tls-client.ts';
import { TlsHandshake, type HandshakeOwner } from './tls-handshake.ts';

/** Makes channels of accepted descriptors, when they have sent what they must send first. */
export class Entrance implements AcceptorOwner<number>, ArrivalOwner<Watched>, HandshakeOwner {
  readonly #home: RawHome;
  readonly #owner: ClientOwner;
  readonly #arrivals: RawArrivals;
  readonly #handshakes = new LiveSet<TlsHandshake>();

  constructor(home: RawHome, owner: ClientOwner) {
    this.#home = home;
    this.#owner = owner;
    this.#arrivals = new RawArrivals(home.loop, this);
  }

  /** Closes the connections that are not served yet. */
  closeArrivals(): void {
    this.#arrivals.closeAll();
    for (const handshake of this.#handshakes) handshake.drop();
  }

  accepted(fd: number): void {
    const { sockets } = this.#home.loop;
    if (!this.#owner.clientArrived(fd)) {
      sockets.close(fd);
      this.#owner.clientClosed(null);
      return;
    }
    if (hasEntryStages(this.#owner.entry)) {
      this.#arrivals.take(fd, this.#owner.entry);
      return;
    }
    const channel = new RawClient(this.#home, this.#owner);
    const peer = sockets.acceptedFrom();
    channel.watch(fd);
    this.#serve(channel, factsOf(peer));
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.#owner.acceptFailed(code, isFirst);
  }

  acceptFault(error: unknown): void {
    this.#owner.acceptFault(error);
  }

  entered(connection: Watched, facts: EntryFacts, since: number): void {
    try {
      if (facts.hello === null) this.#enterPlain(connection, facts, since);
      else this.#enterByName(connection, facts, facts.hello, since);
    } catch (error) {
      // What has taken the connection has closed and counted it.
      if (connection.fd >= 0) throw error;
      this.#owner.acceptFault(error);
    }
  }

  rejected(rejection: EntryRejection): void {
    this.#owner.clientRejected(rejection);
    this.#owner.clientClosed(null);
  }

  lost(fault: unknown): void {
    if (fault !== null) this.#owner.acceptFault(fault);
    this.#owner.clientClosed(null);
  }

  handshakeDone(handshake: TlsHandshake, stream: TlsStream): void {
    this.#handshakes.delete(handshake);
    const { address, proxy, hello } = handshake.facts;
    const channel = new TlsClient(this.#home, this.#owner, stream);
    channel.adopt(handshake);
    try {
      this.#serve(channel, { address, proxy, tls: tlsFactsOf(stream, hello) });
    } catch (error) {
      this.#owner.acceptFault(error);
    }
  }

  handshakeFailed(handshake: TlsHandshake, rejection: EntryRejection): void {
    this.#handshakes.delete(handshake);
    this.rejected(rejection);
  }

  handshakeLost(handshake: TlsHandshake, fault: unknown): void {
    this.#handshakes.delete(handshake);
    this.lost(fault);
  }

  /** Takes a connection that has not sent a ClientHello, or did not have to. */
  #enterPlain(connection: Watched, facts: EntryFacts, since: number): void {
    if (this.#owner.tls !== null) {
      this.#refuse(connection, NOT_TLS, facts.peer, since);
      return;
    }
    const channel = new RawClient(this.#home, this.#owner);
    channel.adopt(connection);
    this.#serve(channel, { address: facts.address, proxy: facts.proxy, tls: null });
  }

  /** Takes a connection whose server name decides where it goes. */
  #enterByName(connection: Watched, facts: EntryFacts, { serverName }: ClientHello, since: number): void {
    const { tls, passthrough, entry } = this.#owner;
    const tunnels = passthrough?.find(serverName) ?? null;
    if (tunnels !== null) {
      this.#owner.clientTunnelled();
      this.#tunnel(connection, facts, tunnels);
    } else if (tls instanceof RawTls) {
      const handshake = new TlsHandshake(this.#home.loop, this, facts, since);
      this.#handshakes.add(handshake);
      handshake.start(connection, tls.contextOf(serverName), entry.timeoutMs);
    } else {
      refuseName(this.#home.loop, connection);
      this.#refuse(connection, refusedName(serverName), facts.peer, since);
    }
  }

  /** The connection counts as a tunnel's from now on: a fault loses it, and nothing is counted here. */
  #tunnel(connection: Watched, facts: EntryFacts, tunnels: TunnelEntrance): void {
    try {
      tunnels.take(connection, facts);
    } catch (error) {
      this.#home.loop.poller.close(connection);
      this.#owner.acceptFault(error);
    }
  }

  #refuse(connection: Watched, refusal: Refusal, peer: string, since: number): void {
    const { poller, wheel } = this.#home.loop;
    poller.close(connection);
    this.rejected({ ...refusal, peer, seconds: (wheel.now - since) / 1000 });
  }

  /** Hands a channel to the owner. If this throws, the connection is closed. */
  #serve(channel: RawClient, facts: ClientFacts): void {
    try {
      this.#owner.clientAccepted(channel, facts);
    } catch (error) {
      channel.destroy();
      throw error;
    }
    channel.settle();
  }
}

function tlsFactsOf(stream: TlsStream, hello: ClientHello | null): TlsFacts {
  const certificate = stream.clientCertificate();
  return {
    serverName: hello?.serverName ?? null,
    certificate: certificate === null ? null : readClientCertificate(certificate),
  };
}
