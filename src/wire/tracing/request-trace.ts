/** The trace of a request, and the request's own span in it. */
import { copyOfText } from '../../core/copy.ts';
import { onlyHeaderOf, type RequestHead } from '../http/request-head.ts';
import { readTraceparent, traceparentText } from './traceparent.ts';
import { readTracestate } from './tracestate.ts';

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const PARENT = TRACE_DIGITS + SPAN_DIGITS;

/** Digits of a trace ID that decide about sampling: 12 of its last 14, which must be random. */
const RANDOM_FROM = 18;
const RANDOM_TO = 30;
const RANDOM_RANGE = 2 ** 48;

/** The trace of one request. Holds few short strings, because sessions keep it for their lifetime. */
export class RequestTrace {
  /** Whether head sampling selected the trace. */
  isSampled: boolean;
  /** Value of `tracestate`; empty for none. */
  readonly state: string;
  /** Hexadecimal IDs: the trace, the span, and the parent if a trusted client named one. */
  readonly #ids: string;
  /** IP address of the connection's peer: the client or a trusted proxy. */
  readonly peer: string;

  private constructor(ids: string, peer: string, state: string, isSampled: boolean) {
    this.#ids = ids;
    this.peer = peer;
    this.state = state;
    this.isSampled = isSampled;
  }

  /**
   * Continues the trace of a trusted client. The client's flag decides about sampling.
   *
   * @param peer IP address of the client
   * @param spanId 16 random hexadecimal digits
   * @returns null if the head names no valid parent
   */
  static continued(head: RequestHead, peer: string, spanId: string): RequestTrace | null {
    const value = onlyHeaderOf(head, 'traceparent');
    // Repeated headers count as none.
    const parent = value === undefined || value === null ? null : readTraceparent(value);
    if (parent === null) return null;
    const ids = copyOfText(parent.traceId + spanId + parent.spanId);
    return new RequestTrace(ids, peer, copyOfText(readTracestate(head)), parent.isSampled);
  }

  /**
   * Starts a trace.
   *
   * @param bytes 24 random bytes: the trace ID, then the span ID
   * @param peer IP address of the client
   * @param fraction as for {@link sample}
   */
  static started(bytes: Buffer, peer: string, fraction: number): RequestTrace {
    // The bytes of the digits that `sample` reads.
    const random = bytes.readUIntBE(RANDOM_FROM / 2, (RANDOM_TO - RANDOM_FROM) / 2);
    return new RequestTrace(bytes.toString('hex'), peer, '', random >= (1 - fraction) * RANDOM_RANGE);
  }

  /** Whether a trusted client started the trace, and so decided about sampling. */
  get isContinued(): boolean {
    return this.#ids.length > PARENT;
  }

  get traceId(): string {
    return this.#ids.slice(0, TRACE_DIGITS);
  }

  get spanId(): string {
    return this.#ids.slice(TRACE_DIGITS, PARENT);
  }

  /** Span of the trusted client; null if the trace starts here. */
  get parentSpanId(): string | null {
    return this.isContinued ? this.#ids.slice(PARENT) : null;
  }

  /**
   * Decides about sampling from the trace ID. Another system with this rule and a larger fraction samples the
   * same traces, and more.
   *
   * @param fraction fraction to sample, from 0 to 1
   */
  sample(fraction: number): void {
    // OpenTelemetry's consistent probability sampling: compare the random digits to the rejection threshold.
    const random = Number.parseInt(this.#ids.slice(RANDOM_FROM, RANDOM_TO), 16);
    this.isSampled = random >= (1 - fraction) * RANDOM_RANGE;
  }

  /** Adds headers that make this span the parent of the endpoint's spans: name, value, name, value. */
  addHeaders(headers: string[]): void {
    headers.push('traceparent', traceparentText(this));
    if (this.state !== '') headers.push('tracestate', this.state);
  }
}
