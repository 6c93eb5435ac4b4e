import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import { certificateProblem } from '../../sys/node/tls-sockets.ts';
import { readClientCertificate } from '../../wire/tls/client-certificate.ts';
import type { TlsFacts } from '../client-transport.ts';
import type { EntryFailure, EntryFacts, EntryRejection, HelloFacts } from '../entry.ts';
import type { NetTls } from './net-tls.ts';

/** Receives the results of TLS handshakes. */
export interface HandshakeOwner {
  /**
   * Called with a paused socket. If this throws, the socket is destroyed, and {@link lost} follows unless it
   * was already destroyed.
   */
  secured(socket: TLSSocket, facts: EntryFacts, tls: TlsFacts): void;
  /** See `ArrivalOwner`. */
  rejected(rejection: EntryRejection): void;
  lost(fault: unknown): void;
}

/** State shared by the handshakes of one acceptor. */
export interface NetHandshakeContext {
  readonly wheel: TimerWheel;
  readonly owner: HandshakeOwner;
  /** Gives Node a turn soon. Null if the thread runs Node's own loop. */
  readonly yieldToNode: (() => void) | null;
  readonly inProgress: LiveSet<NetHandshake>;
}

/** OpenSSL's name for a handshake that fails because the client sent no certificate. */
const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** A TLS handshake with a client whose ClientHello waits in the socket. */
export class NetHandshake extends Timed implements LiveMember {
  liveIndex = -1;
  readonly #context: NetHandshakeContext;
  readonly #socket: TLSSocket;
  readonly #facts: HelloFacts;
  readonly #since: number;
  readonly #tls: NetTls;

  /** @param since see `ArrivalOwner.entered` */
  constructor(context: NetHandshakeContext, carrier: Socket, tls: NetTls, facts: HelloFacts, since: number) {
    super();
    this.#context = context;
    this.#tls = tls;
    this.#facts = facts;
    this.#since = since;
    this.#socket = tls.secure(carrier, facts.hello);
  }

  start(): void {
    const { wheel, inProgress } = this.#context;
    inProgress.add(this);
    wheel.arm(this, Math.max(0, this.#since + this.#tls.settings.handshakeTimeoutMs - wheel.now));
    this.#socket
      .on('secure', this.#onSecure)
      .on('error', this.#onError)
      .on('end', this.#onEnd)
      .on('close', this.#onEnd);
  }

  /** Closes the connection because its listener closes. */
  drop(): void {
    this.#close();
    this.#context.owner.lost(null);
  }

  override expire(): void {
    this.#reject('tls_timeout', 'in the handshake');
  }

  readonly #onSecure = (): void => {
    try {
      const facts = this.#readFacts();
      if (facts === null) return;
      this.#end();
      this.#context.owner.secured(this.#socket, this.#facts, facts);
      // The owner has its own `error` listener by now.
      this.#socket.off('error', this.#onError);
    } catch (error) {
      if (this.#socket.destroyed) return;
      this.#close();
      this.#context.owner.lost(error);
    }
  };

  readonly #onError = (error: NodeJS.ErrnoException & { readonly reason?: string }): void => {
    if (this.liveIndex < 0) return;
    const { code = '', reason, syscall } = error;
    if (code === NO_CERTIFICATE) this.#reject('client_certificate', 'no certificate');
    else if (syscall !== undefined) this.#reject('tls_ended', code);
    else this.#reject('tls_failed', reason ?? code);
  };

  /** Handles FIN, or a close without an error. */
  readonly #onEnd = (): void => {
    if (this.liveIndex >= 0) this.#reject('tls_ended', 'the client has closed');
  };

  /** Returns null after rejecting the client's certificate. */
  #readFacts(): TlsFacts | null {
    const socket = this.#socket;
    const { clientCertificates } = this.#tls.settings;
    const certificate = clientCertificates === null ? undefined : socket.getPeerX509Certificate();
    const problem =
      certificate !== undefined
        ? certificateProblem(socket)
        : clientCertificates?.isRequired === true
          ? 'no certificate'
          : null;
    if (problem !== null) {
      this.#reject('client_certificate', problem);
      return null;
    }
    return {
      serverName: this.#facts.hello.serverName,
      certificate: certificate === undefined ? null : readClientCertificate(certificate.raw),
    };
  }

  #reject(reason: EntryFailure, detail: string): void {
    const { owner, wheel } = this.#context;
    this.#close();
    const { peer } = this.#facts;
    owner.rejected({ reason, detail, peer, seconds: (wheel.now - this.#since) / 1000 });
  }

  /** Closes the connection. The `error` listener stays. */
  #close(): void {
    this.#end();
    this.#socket.destroy();
    this.#context.yieldToNode?.();
  }

  /** Removes the handshake and its listeners. */
  #end(): void {
    const { wheel, inProgress } = this.#context;
    wheel.disarm(this);
    inProgress.delete(this);
    this.#socket.off('secure', this.#onSecure).off('end', this.#onEnd).off('close', this.#onEnd);
  }
}
