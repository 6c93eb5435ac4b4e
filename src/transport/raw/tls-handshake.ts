import type { LiveMember } from '../../core/collections/live-set.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import { Watched } from '../../loop/poller.ts';
import { EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import type { ServerContext } from '../../sys/tls/server-context.ts';
import { TlsStream, type TlsFailureKind } from '../../sys/tls/tls-stream.ts';
import type { EntryFacts, EntryFailure, EntryRejection } from '../entry.ts';

/** Receives the end of a handshake: exactly one of the three methods is called. */
export interface HandshakeOwner {
  /** Called when the handshake is done. The owner takes over the stream and the descriptor. */
  handshakeDone(handshake: TlsHandshake, stream: TlsStream): void;
  /** Called after the handshake failed and its connection was closed. */
  handshakeFailed(handshake: TlsHandshake, rejection: EntryRejection): void;
  /**
   * Called after the connection was closed for a reason outside the connection.
   *
   * @param fault null if its listener closes; otherwise an error of the proxy
   */
  handshakeLost(handshake: TlsHandshake, fault: unknown): void;
}

const REASONS: Record<TlsFailureKind, EntryFailure> = {
  ended: 'tls_ended',
  certificate: 'client_certificate',
  protocol: 'tls_failed',
};

/** A TLS handshake on a connection that has sent its ClientHello. */
export class TlsHandshake extends Watched implements LiveMember {
  liveIndex = -1;
  readonly facts: EntryFacts;
  readonly #loop: EventLoop;
  readonly #owner: HandshakeOwner;
  readonly #since: number;
  readonly #deadline: Timed = new Deadline(this);
  /** Null before the start and after the handshake. */
  #stream: TlsStream | null = null;

  /** @param since time of the accept */
  constructor(loop: EventLoop, owner: HandshakeOwner, facts: EntryFacts, since: number) {
    super();
    this.#loop = loop;
    this.#owner = owner;
    this.facts = facts;
    this.#since = since;
  }

  /** Starts the handshake. @param timeoutMs max time from the accept to the end of the handshake */
  start(connection: Watched, context: ServerContext, timeoutMs: number): void {
    const { poller, wheel } = this.#loop;
    poller.adopt(connection, this);
    try {
      wheel.arm(this.#deadline, this.#since + timeoutMs - wheel.now);
      this.#stream = new TlsStream(context, this.fd);
      this.ready();
    } catch (error) {
      this.fault(error);
    }
  }

  override ready(): void {
    const stream = this.#stream;
    if (stream === null) return;
    const { poller } = this.#loop;
    switch (stream.handshake()) {
      case 'read':
        poller.change(this, EPOLLIN);
        break;
      case 'write':
        poller.change(this, EPOLLOUT);
        break;
      case 'done':
        this.#end();
        this.#owner.handshakeDone(this, stream);
        break;
      case 'failed':
        this.#fail(REASONS[stream.failureKind], stream.failure);
    }
  }

  override fault(error: unknown): void {
    if (this.fd < 0) return;
    this.#end()?.free();
    this.#loop.poller.close(this);
    this.#owner.handshakeLost(this, error);
  }

  /** Closes the connection because its listener closes. */
  drop(): void {
    this.fault(null);
  }

  /** Fails the handshake because its deadline has passed. */
  expire(): void {
    this.#fail('tls_timeout', 'in the handshake');
  }

  #fail(reason: EntryFailure, detail: string): void {
    this.#end()?.free();
    const { input, poller } = this.#loop;
    // OpenSSL may have sent an alert. Closing with unread bytes would send a reset, which can overtake the
    // alert.
    input.recv(this.fd, 0, input.bytes.length);
    poller.close(this);
    const seconds = (this.#loop.wheel.now - this.#since) / 1000;
    this.#owner.handshakeFailed(this, { reason, detail, peer: this.facts.peer, seconds });
  }

  /** Ends the handshake. Returns its stream. */
  #end(): TlsStream | null {
    const stream = this.#stream;
    this.#stream = null;
    this.#loop.wheel.disarm(this.#deadline);
    return stream;
  }
}

class Deadline extends Timed {
  readonly #handshake: TlsHandshake;

  constructor(handshake: TlsHandshake) {
    super();
    this.#handshake = handshake;
  }

  override expire(): void {
    this.#handshake.expire();
  }
}
