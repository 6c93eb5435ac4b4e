import { Timed, type TimerWheel } from '../../../core/timing/timer-wheel.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { BodyReader, type BodySink } from '../../../wire/http/body-reader.ts';
import { allowedTrailers } from '../../../wire/http/chunked-body/trailers.ts';
import type { ResponseHead } from '../../../wire/http/response-head.ts';
import type { HeaderList, HttpReply, ResponseCut } from '../../contract/http-reply.ts';
import type { UpstreamOwner, UpstreamSocket } from '../../contract/upstream-socket.ts';
import { ResponseRelay } from '../../upstream/response-relay.ts';
import { keepsAlive } from '../../upstream/upstream-request.ts';

/** Max bytes of a body that are collected before the client is answered; a longer body is streamed. */
const MAX_COLLECTED_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/** Owns a handshake that the endpoint has refused. */
export interface EndpointRefusalOwner {
  /** The response is complete, and the connection can carry another request. Returns whether it is kept for one. */
  refusalKeeps(upstream: UpstreamSocket): boolean;
  /** The connection to the endpoint has been kept or closed. */
  refusalEnded(): void;
  /** The client has got the answer or its first part: the handshake is over. */
  refusalAnswered(): void;
  /** The answer is over: sent, cut, or left by the client. */
  refusalOver(status: number): void;
  /** The client's side has been written to. */
  clientsTouched(): void;
}

/** The reply that a refusal is sent by, and its limits. */
interface RefusalTerms {
  readonly reply: HttpReply;
  readonly wheel: TimerWheel;
  /** Max time for which the body is collected, in milliseconds. */
  readonly collectMs: number;
  /** Max silence of a streamed body, in milliseconds; 0 is no limit. */
  readonly idleTimeoutMs: number;
  readonly log: Logger;
  readonly requestId: string;
}

/**
 * An endpoint's answer to a handshake that is no 101, on its way to the client. The client gets the status and the headers
 * whatever becomes of the body. A body of up to {@link MAX_COLLECTED_BYTES} is collected. If it is cut, malformed or too slow,
 * the client gets the part that has come, with its right length. A longer body is streamed, and the client's connection is
 * cut if the body breaks.
 */
export class EndpointRefusal extends Timed implements UpstreamOwner, BodySink {
  readonly #upstream: UpstreamSocket;
  readonly #head: ResponseHead;
  readonly #headers: HeaderList;
  readonly #terms: RefusalTerms;
  readonly #owner: EndpointRefusalOwner;
  readonly #body: BodyReader;
  /** The collected part is `kept[0, size)`. One buffer that grows, because a body may come byte by byte. */
  #kept: Buffer = EMPTY;
  #size = 0;
  /** Null while the body is collected. */
  #relay: ResponseRelay | null = null;
  #answered = false;
  #ended = false;
  /** When a streamed body has moved last, by the wheel's clock. */
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

  /** Begins with the bytes behind the head. The client may be answered before this returns. */
  start(rest: Buffer): void {
    const { wheel, collectMs } = this.#terms;
    this.#upstream.owner = this;
    wheel.arm(this, collectMs);
    this.channelData(rest, 0, rest.length);
  }

  /** Ends the refusal because the client has gone. */
  drop(): void {
    if (this.#ended) return;
    this.#end();
    if (this.#answered) this.#owner.refusalOver(this.#head.status);
  }

  upstreamConnected(): void {
    // It is connected already.
  }

  channelData(input: Buffer, start: number, end: number): void {
    this.#movedAt = this.#terms.wheel.now;
    const used = this.#body.push(input, start, end, this);
    if (this.#relay !== null) {
      this.#relay.readDone();
      this.#owner.clientsTouched();
      this.#answer();
    }
    // Bytes behind the response answer no request: the connection is out of step.
    if (this.#body.complete) this.#finish(used === end - start && keepsAlive(this.#head));
    else if (this.#body.malformed) this.#break('the body is malformed');
  }

  channelEnded(): void {
    this.#body.end();
    if (this.#body.complete) this.#finish(false);
    else this.#break('the endpoint closed within the body');
  }

  channelClosed(error: Error | null): void {
    if (error === null) this.channelEnded();
    else this.#break(error.message);
  }

  override expire(): void {
    const { wheel, idleTimeoutMs } = this.#terms;
    if (this.#relay === null) {
      this.#break('the body did not come in time');
      return;
    }
    const left = this.#movedAt + idleTimeoutMs - wheel.now;
    if (left > 0) wheel.arm(this, left);
    else this.#break('nothing has moved for too long', 'idle_timeout');
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

  /** The client has got the last part. */
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

  /** Streams the body, which is too long to be collected. */
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

  /** The body is complete. @param isReusable whether the connection may carry another request */
  #finish(isReusable: boolean): void {
    if (this.#ended) return;
    this.#end(isReusable);
    if (this.#relay === null) this.#sendWhole();
    else this.#relay.end(allowedTrailers(this.#body.trailers));
    this.#over();
  }

  /** The rest of the body will not come. */
  #break(reason: string, cut: ResponseCut = 'endpoint'): void {
    if (this.#ended) return;
    const { log, requestId, reply } = this.#terms;
    log.debug({ requestId, status: this.#head.status, reason }, 'refusal cut short');
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
