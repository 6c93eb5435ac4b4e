import { Timed, type TimerWheel } from '../../../core/timing/timer-wheel.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { BodyReader, type BodySink } from '../../../wire/http/body-reader.ts';
import { allowedTrailers } from '../../../wire/http/chunked-body/trailers.ts';
import type { ResponseHead } from '../../../wire/http/response-head.ts';
import type { HeaderList, HttpReply, ResponseCut } from '../../contract/http-reply.ts';
import type { UpstreamOwner, UpstreamSocket } from '../../contract/upstream-socket.ts';
import { ResponseRelay } from '../../upstream/response-relay.ts';
import { keepsAlive } from '../../upstream/upstream-request.ts';

/** Max bytes of a body that is collected before the client is answered. Longer bodies are streamed. */
const MAX_COLLECTED_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/** Owns a handshake that the endpoint refused. */
export interface EndpointRefusalOwner {
  /**
   * Called when the response is complete and the connection reusable. Returns whether the connection is kept.
   */
  refusalKeeps(upstream: UpstreamSocket): boolean;
  /** Called when the connection to the endpoint was kept or closed. */
  refusalEnded(): void;
  /** Called when the client has received the answer or its first part: the handshake has ended. */
  refusalAnswered(): void;
  /** Called when the answer has ended: sent, cut, or abandoned by the client. */
  refusalOver(status: number): void;
  /** Called after writes to the client's connection. */
  clientsTouched(): void;
}

/** The reply for a refusal, and its limits. */
interface RefusalTerms {
  readonly reply: HttpReply;
  readonly wheel: TimerWheel;
  /** Max time to collect the body, in milliseconds. */
  readonly collectMs: number;
  /** Max silence of a streamed body, in milliseconds. 0 disables the limit. */
  readonly idleTimeoutMs: number;
  readonly log: Logger;
  readonly requestId: string;
}

/**
 * Forwards an endpoint's answer that is not 101. The client gets the status and the headers even if the body
 * fails.
 *
 * A body of up to {@link MAX_COLLECTED_BYTES} is collected. If it is cut, malformed or too slow, the client
 * gets the received part with a matching Content-Length. A longer body is streamed, and the client's
 * connection is cut if the body breaks.
 */
export class EndpointRefusal extends Timed implements UpstreamOwner, BodySink {
  readonly #upstream: UpstreamSocket;
  readonly #head: ResponseHead;
  readonly #headers: HeaderList;
  readonly #terms: RefusalTerms;
  readonly #owner: EndpointRefusalOwner;
  readonly #body: BodyReader;
  /**
   * The collected part is `kept[0, size)`. It is one growing buffer because a body may arrive byte by byte.
   */
  #kept: Buffer = EMPTY;
  #size = 0;
  /** Null while the body is collected. */
  #relay: ResponseRelay | null = null;
  #answered = false;
  #ended = false;
  /** Time of a streamed body's last progress, by the wheel's clock. */
  #movedAt = 0;

  /** @param upstream the endpoint's connection, which the refusal owns from now on */
  constructor(
    upstream: UpstreamSocket,
    head: ResponseHead,
    headers: HeaderList,
    terms: RefusalTerms,
    owner: EndpointRefusalOwner,
  ) {
    super();
    this.#upstream = upstream;
    this.#head = head;
    this.#headers = headers;
    this.#terms = terms;
    this.#owner = owner;
    this.#body = new BodyReader(head);
  }

  /** Starts with the bytes after the head. The client may be answered before this returns. */
  start(rest: Buffer): void {
    const { wheel, collectMs } = this.#terms;
    this.#upstream.owner = this;
    wheel.arm(this, collectMs);
    this.channelData(rest, 0, rest.length);
  }

  /** Ends the refusal because the client has disconnected. */
  drop(): void {
    if (this.#ended) return;
    this.#end();
    if (this.#answered) this.#owner.refusalOver(this.#head.status);
  }

  upstreamConnected(): void {
    // The endpoint is already connected.
  }

  channelData(input: Buffer, start: number, end: number): void {
    this.#movedAt = this.#terms.wheel.now;
    const used = this.#body.push(input, start, end, this);
    if (this.#relay !== null) {
      this.#relay.readDone();
      this.#owner.clientsTouched();
      this.#answer();
    }
    // Bytes after the response mean that the connection is out of sync.
    if (this.#body.complete) this.#finish(used === end - start && keepsAlive(this.#head));
    else if (this.#body.malformed) this.#break('the body is malformed');
  }

  channelEnded(): void {
    this.#body.end();
    if (this.#body.complete) this.#finish(false);
    else this.#break('the endpoint closed in the middle of the body');
  }

  channelClosed(error: Error | null): void {
    if (error === null) this.channelEnded();
    else this.#break(error.message);
  }

  override expire(): void {
    const { wheel, idleTimeoutMs } = this.#terms;
    if (this.#relay === null) {
      this.#break('the body did not arrive in time');
      return;
    }
    const left = this.#movedAt + idleTimeoutMs - wheel.now;
    if (left > 0) wheel.arm(this, left);
    else this.#break('the body made no progress for too long', 'idle_timeout');
  }

  bodyData(bytes: Buffer): void {
    if (this.#ended) return;
    if (this.#relay === null && this.#size + bytes.length <= MAX_COLLECTED_BYTES) this.#collect(bytes);
    else (this.#relay ?? this.#stream()).data(bytes);
  }

  pauseResponse(): void {
    this.#upstream.pause();
  }

  resumeResponse(): void {
    this.#movedAt = this.#terms.wheel.now;
    this.#upstream.resume();
  }

  /** Called when the client's connection has taken a part of the body. */
  relayed(): void {
    this.#owner.clientsTouched();
  }

  #collect(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (this.#kept.length < size) {
      const larger = Buffer.allocUnsafe(Math.min(MAX_COLLECTED_BYTES, Math.max(size, 2 * this.#kept.length)));
      this.#kept.copy(larger, 0, 0, this.#size);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#size);
    this.#size = size;
  }

  /** Switches to streaming, because the body is too long to collect. */
  #stream(): ResponseRelay {
    const { reply, wheel, idleTimeoutMs } = this.#terms;
    const relay = new ResponseRelay(reply, this);
    this.#relay = relay;
    if (idleTimeoutMs > 0) wheel.arm(this, idleTimeoutMs);
    else wheel.disarm(this);
    relay.head(this.#head, this.#headers, this.#body, false);
    if (this.#size > 0) relay.data(this.#kept.subarray(0, this.#size));
    this.#kept = EMPTY;
    return relay;
  }

  /** Ends a complete body. @param isReusable whether the connection may carry another request */
  #finish(isReusable: boolean): void {
    if (this.#ended) return;
    this.#end(isReusable);
    if (this.#relay === null) this.#sendWhole();
    else this.#relay.end(allowedTrailers(this.#body.trailers));
    this.#over();
  }

  /** Ends a body whose rest will not arrive. */
  #break(reason: string, cut: ResponseCut = 'endpoint'): void {
    if (this.#ended) return;
    const { log, requestId, reply } = this.#terms;
    log.debug({ requestId, status: this.#head.status, reason }, 'refusal truncated');
    this.#end();
    if (this.#relay === null) this.#sendWhole();
    else reply.cut(cut);
    this.#over();
  }

  #sendWhole(): void {
    this.#terms.reply.send(this.#head.status, this.#headers, this.#kept.subarray(0, this.#size));
  }

  #answer(): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#owner.refusalAnswered();
  }

  #over(): void {
    this.#owner.clientsTouched();
    this.#answer();
    this.#owner.refusalOver(this.#head.status);
  }

  /** Closes the endpoint's connection, or keeps it for another request. */
  #end(isReusable = false): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#terms.wheel.disarm(this);
    this.#upstream.owner = null;
    const isKept = isReusable && !this.#upstream.destroyed && this.#owner.refusalKeeps(this.#upstream);
    if (!isKept) this.#upstream.destroy();
    this.#owner.refusalEnded();
  }
}
