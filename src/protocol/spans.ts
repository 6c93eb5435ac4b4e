/** A span on its way from a worker to the primary, which exports it. */

type SpanAttributes = Readonly<Record<string, string | number | boolean | string[]>>;

export interface SpanRecord {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** The span of the trusted client that asked; null for the first span of a trace. */
  readonly parentSpanId: string | null;
  /** The value of `tracestate`; empty for none. */
  readonly traceState: string;
  /** Whether head sampling chose the trace. A span that it did not choose is here because it failed. */
  readonly isSampled: boolean;
  readonly name: string;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why the span failed, in words; null if it did not. */
  readonly failure: string | null;
  /** By the names of OpenTelemetry's semantic conventions. */
  readonly attributes: SpanAttributes;
  readonly events: readonly SpanEvent[];
}

/** What happened during the span. */
export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
  readonly attributes: SpanAttributes;
}
