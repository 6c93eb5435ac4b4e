/** A span that a worker sends to the primary for export. */

type SpanAttributes = Readonly<Record<string, string | number | boolean | string[]>>;

export interface SpanRecord {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** The span of the trusted client that sent the request; null for the root span. */
  readonly parentSpanId: string | null;
  /** The value of `tracestate`; empty for none. */
  readonly traceState: string;
  /** Whether head sampling chose the trace. Spans of other traces are recorded only if they failed. */
  readonly isSampled: boolean;
  readonly name: string;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why the span failed, in words; null if it succeeded. */
  readonly failure: string | null;
  /** Named by OpenTelemetry's semantic conventions. */
  readonly attributes: SpanAttributes;
  readonly events: readonly SpanEvent[];
}

/** An event during the span. */
export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
  readonly attributes: SpanAttributes;
}
