import { LiveSet } from '../../core/collections/live-set.ts';
import type { Watched } from '../../loop/poller.ts';
import type { TlsStream } from '../../sys/tls/tls-stream.ts';
import { readClientCertificate } from '../../wire/tls/client-certificate.ts';
import type { ClientHello } from '../../wire/tls/client-hello.ts';
import type { AcceptorOwner } from '../acceptor.ts';
import { ClientEntrance } from '../client-entrance.ts';
import {
  factsOf,
  type ClientFacts,
  type ClientOwner,
  type ClientTls,
  type TlsFacts,
} from '../client-transport.ts';
import { hasEntryStages, type EntryFacts, type EntryRejection, type HelloFacts } from '../entry.ts';
import { refuseName } from './name-refusal.ts';
import { RawArrivals } from './raw-arrivals.ts';
import { RawClient } from './raw-client.ts';
import type { RawContext } from './raw-context.ts';
import { RawTls } from './raw-tls.ts';
import { TlsClient } from './tls-client.ts';
import { TlsHandshake, type HandshakeOwner } from './tls-handshake.ts';

/** Turns accepted descriptors into channels after their entry stages. */
export class Entrance extends ClientEntrance<Watched> implements AcceptorOwner<number>, HandshakeOwner {
  readonly #context: RawContext;
  readonly #arrivals: RawArrivals;
  readonly #handshakes = new LiveSet<TlsHandshake>();

  constructor(context: RawContext, owner: ClientOwner) {
    super(owner, context.loop.wheel);
    this.#context = context;
    this.#arrivals = new RawArrivals(context.loop, this);
  }

  /** Closes connections that are not served yet. */
  closeArrivals(): void {
    this.#arrivals.closeAll();
    for (const handshake of this.#handshakes) handshake.drop();
  }

  accepted(fd: number): void {
    const { sockets } = this.#context.loop;
    if (!this.owner.clientArrived(fd)) {
      sockets.close(fd);
      this.owner.clientClosed(null);
      return;
    }
    if (hasEntryStages(this.owner.entry)) {
      this.#arrivals.take(fd, this.owner.entry);
      return;
    }
    const channel = new RawClient(this.#context, this.owner);
    const peer = sockets.acceptedFrom();
    channel.watch(fd);
    this.#serve(channel, factsOf(peer));
  }

  override entered(connection: Watched, facts: EntryFacts, since: number): void {
    try {
      super.entered(connection, facts, since);
    } catch (error) {
      // The code that took the connection has closed and counted it.
      if (connection.fd >= 0) throw error;
      this.acceptFault(error);
    }
  }

  handshakeDone(handshake: TlsHandshake, stream: TlsStream): void {
    this.#handshakes.delete(handshake);
    const { address, proxy, hello } = handshake.facts;
    const channel = new TlsClient(this.#context, this.owner, stream);
    channel.adopt(handshake);
    try {
      this.#serve(channel, { address, proxy, tls: tlsFactsOf(stream, hello) });
    } catch (error) {
      this.owner.acceptFault(error);
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

  protected override servePlain(connection: Watched, { address, proxy }: EntryFacts): void {
    const channel = new RawClient(this.#context, this.owner);
    channel.adopt(connection);
    this.#serve(channel, { address, proxy, tls: null });
  }

  protected override secure(connection: Watched, tls: ClientTls, facts: HelloFacts, since: number): void {
    if (!(tls instanceof RawTls)) throw new Error('TLS of another transport');
    const handshake = new TlsHandshake(this.#context.loop, this, facts, since);
    this.#handshakes.add(handshake);
    handshake.start(connection, tls.contextOf(facts.hello.serverName), this.owner.entry.timeoutMs);
  }

  protected override refuseName(connection: Watched): void {
    refuseName(this.#context.loop, connection);
  }

  protected override close(connection: Watched): void {
    this.#context.loop.poller.close(connection);
  }

  /** Passes a channel to the owner. If the owner throws, closes the connection and rethrows. */
  #serve(channel: RawClient, facts: ClientFacts): void {
    try {
      this.owner.clientAccepted(channel, facts);
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
