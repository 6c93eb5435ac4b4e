import { WaitingBytes } from '../../buffers/waiting-bytes.ts';
import type { HeaderList } from '../../contract/http-reply.ts';
import type { RequestBody, RequestBodySink } from '../../contract/request-body.ts';
import type { BodyFraming } from './body-framing.ts';

/**
 * Max buffered bytes before the client is paused: more than a request collects before it takes an endpoint's
 * connection.
 */
const MAX_WAITING_BYTES = 32 * 1024;

/** The parts of a connection that a body uses. */
export interface BodyConnection {
  /** Called when the body is needed: a client that expects 100 (Continue) must get it now. */
  bodyWanted(): void;
  /** Applies backpressure to the client until {@link resume}. */
  pause(): void;
  resume(): void;
}

/** The body of a request, as its connection receives it. */
export class Http1RequestBody implements RequestBody {
  received = 0;
  ended = false;
  /** Why the rest of the body cannot be read, or null. */
  problem: string | null = null;
  /** Whether the client is paused because of buffered bytes. */
  isFull = false;
  readonly #connection: BodyConnection;
  readonly #framing: BodyFraming;
  #sink: RequestBodySink | null = null;
  #onWaiting: (() => void) | null = null;
  /** Null until bytes are buffered. */
  #queue: WaitingBytes | null = null;
  /** Whether the reader has paused. */
  #paused = false;
  #isDropped = false;

  constructor(connection: BodyConnection, framing: BodyFraming) {
    this.#connection = connection;
    this.#framing = framing;
  }

  get waiting(): number {
    return this.#queue?.length ?? 0;
  }

  /** Remaining bytes, Infinity if unknown. */
  get left(): number {
    return this.#framing.left;
  }

  onWaiting(callback: () => void): void {
    this.#onWaiting = callback;
    if (!this.ended) this.#connection.bodyWanted();
  }

  read(sink: RequestBodySink): void {
    if (this.#isDropped) return;
    this.#sink = sink;
    this.#paused = false;
    if (!this.ended) this.#connection.bodyWanted();
    this.#hand();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#hand();
  }

  /**
   * Reads the next bytes of the connection.
   *
   * @returns how many of them belong to the body. Less than given only if the body has ended or has a {@link
   * problem}.
   */
  push(input: Buffer, start: number, end: number): number {
    return this.#framing.push(input, start, end, this);
  }

  /** Drops all buffered and future bytes, because the request was answered or its client has disconnected. */
  drop(): void {
    this.#isDropped = true;
    this.#sink = null;
    this.#onWaiting = null;
    this.#queue?.clear();
    this.#queue = null;
    if (this.isFull) this.#drained();
  }

  /** Receives content from the framing. @param isLast whether it is known to be the last */
  content(bytes: Buffer, isLast: boolean): void {
    this.received += bytes.length;
    if (isLast) this.ended = true;
    if (this.#isDropped) return;
    if (this.#sink === null || this.#paused || this.waiting > 0) {
      this.#keep(bytes);
      return;
    }
    this.#sink.requestData(bytes);
    if (isLast) this.#end();
  }

  /** Called when the framing has found the end of the body, after its content. */
  contentEnded(): void {
    this.ended = true;
    if (this.#isDropped) return;
    if (this.#sink === null || this.#paused || this.waiting > 0) this.#onWaiting?.();
    else this.#end();
  }

  /** Called when the framing cannot find the end of the body. */
  contentBroken(problem: string): void {
    this.problem = problem;
  }

  /** Buffers a copy of bytes that are valid during the call only. */
  #keep(bytes: Uint8Array): void {
    this.#queue ??= new WaitingBytes();
    this.#queue.push(bytes);
    if (!this.ended && !this.isFull && this.#queue.length >= MAX_WAITING_BYTES) {
      this.isFull = true;
      this.#connection.pause();
    }
    this.#onWaiting?.();
  }

  #hand(): void {
    while (this.#sink !== null && !this.#paused) {
      const bytes = this.#queue?.shift() ?? null;
      if (bytes === null) {
        this.#queue = null;
        if (this.ended) this.#end();
        else if (this.isFull) this.#drained();
        return;
      }
      this.#sink.requestData(bytes);
    }
  }

  #drained(): void {
    this.isFull = false;
    this.#connection.resume();
  }

  #end(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.requestEnd(this.#trailers);
  }

  get #trailers(): HeaderList | undefined {
    return this.#framing.trailers;
  }
}
