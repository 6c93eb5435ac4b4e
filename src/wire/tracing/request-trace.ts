/** The trace that a request belongs to, and its own span in it. */
import { copyOfText } from '../../core/copy.ts';
import { onlyHeaderOf, type RequestHead } from '../http/request-head.ts';
import { readTraceparent, traceparentText } from './traceparent.ts';
import { readTracestate } from './tracestate.ts';

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const PARENT = TRACE_DIGITS + SPAN_DIGITS;

/** The digits of a trace id that decide about sampling: 12 of the 14 at its end, which must be random. */
const RANDOM_FROM = 18;
const RANDOM_TO = 30;
const RANDOM_RANGE = 2 ** 48;

/** The trace of one request. It holds few short texts, because sessions keep it for as long as they live. */
export class RequestTrace {
  /** Whether head sampling has chosen the trace. */
  isSampled: boolean;
  /** The value of `tracestate`; empty for none. */
  readonly state: string;
  /** Hexadecimal digits: of the trace, of the span, and of the parent if a trusted client has named one. */
  readonly #ids: string;
  /** The IP address of the connection's peer: the client or a trusted proxy. */
  readonly peer: string;

  private constructor(ids: string, peer: string, state: string, isSampled: boolean) {
    this.#ids = ids;
    this.peer = peer;
    this.state = state;
    this.isSampled = isSampled;
  }

  /**
   * Continues the trace of a trusted client. Its flag decides about sampling.
   *
   * @param peer the IP address of the client
   * @param spanId 16 random hexadecimal digits
   * @returns null if the head names no valid parent
   */
  static continued(head: RequestHead, peer: string, spanId: string): RequestTrace | null {
    const value = onlyHeaderOf(head, 'traceparent');
    // Several headers of this name count as none.
    const parent = value === undefined || value === null ? null : readTraceparent(value);
    if (parent === null) return null;
    const ids = copyOfText(parent.traceId + spanId + parent.spanId);
    return new RequestTrace(ids, peer, copyOfText(readTracestate(head)), parent.isSampled);
  }

  /**
   * Begins a trace.
   *
   * @param bytes 24 random ones: the id of the trace, then that of the span
   * @param peer the IP address of the client
   * @param part as for {@link sample}
   */
  static begun(bytes: Buffer, peer: string, part: number): RequestTrace {
    // The bytes of the digits that `sample` reads.
    const random = bytes.readUIntBE(RANDOM_FROM / 2, (RANDOM_TO - RANDOM_FROM) / 2);
    return new RequestTrace(bytes.toString('hex'), peer, '', random >= (1 - part) * RANDOM_RANGE);
  }

  /** Whether a trusted client has begun the trace, and so has decided about sampling. */
  get isContinued(): boolean {
    return this.#ids.length > PARENT;
  }

  get traceId(): string {
    return this.#ids.slice(0, TRACE_DIGITS);
  }

  get spanId(): string {
    return this.#ids.slice(TRACE_DIGITS, PARENT);
  }

  /** The span of the trusted client; null if the trace begins here. */
  get parentSpanId(): string | null {
    return this.isContinued ? this.#ids.slice(PARENT) : null;
  }

  /**
   * Decides about sampling by the id of the trace. Another system that samples a larger part by this rule samples the same
   * traces, and more.
   *
   * @param part 0 for none to 1 for all
   */
  sample(part: number): void {
    // OpenTelemetry's consistent probability sampling: the random digits reach the threshold of rejection.
    const random = Number.parseInt(this.#ids.slice(RANDOM_FROM, RANDOM_TO), 16);
    this.isSampled = random >= (1 - part) * RANDOM_RANGE;
  }

  /** Adds the headers for the endpoint, whose spans get this one as their parent: name, value, name, value. */
  addHeaders(headers: string[]): void {
    headers.push('traceparent', traceparentText(this));
    if (this.state !== '') headers.push('tracestate', this.state);
  }
}
