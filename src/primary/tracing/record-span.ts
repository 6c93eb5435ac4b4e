import { SpanKind, SpanStatusCode, TraceFlags, type HrTime, type SpanContext } from '@opentelemetry/api';
import { TraceState, type InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { SpanRecord } from '../../protocol/spans.ts';

/** State shared by all spans of the process. */
export interface SpanOrigin {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
}

const NOTHING: never[] = [];

/** A worker's record in the form of a finished span of OpenTelemetry's SDK. */
export class RecordSpan implements ReadableSpan {
  readonly kind = SpanKind.SERVER;
  readonly links = NOTHING;
  readonly ended = true;
  readonly droppedAttributesCount = 0;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  /** Missing for the root span of a trace. */
  readonly parentSpanContext?: SpanContext;
  readonly #record: SpanRecord;
  readonly #origin: SpanOrigin;

  constructor(record: SpanRecord, origin: SpanOrigin) {
    this.#record = record;
    this.#origin = origin;
    const { traceId, parentSpanId, isSampled } = record;
    if (parentSpanId === null) return;
    const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
    this.parentSpanContext = { traceId, spanId: parentSpanId, traceFlags, isRemote: true };
  }

  get resource(): Resource {
    return this.#origin.resource;
  }

  get instrumentationScope(): InstrumentationScope {
    return this.#origin.scope;
  }

  get name(): string {
    return this.#record.name;
  }

  /**
   * Returns the span's context. Every exported span has the sampled flag. The SDK drops spans without it,
   * such as failures in traces that head sampling did not choose.
   */
  spanContext(): SpanContext {
    const { traceId, spanId, traceState } = this.#record;
    const context = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
    return traceState === '' ? context : { ...context, traceState: new TraceState(traceState) };
  }

  get startTime(): HrTime {
    return hrTime(this.#record.startedAt);
  }

  get endTime(): HrTime {
    return hrTime(Math.max(this.#record.startedAt, this.#record.endedAt));
  }

  get duration(): HrTime {
    return hrTime(Math.max(0, this.#record.endedAt - this.#record.startedAt));
  }

  get status(): ReadableSpan['status'] {
    const { failure } = this.#record;
    return failure === null
      ? { code: SpanStatusCode.UNSET }
      : { code: SpanStatusCode.ERROR, message: failure };
  }

  get attributes(): ReadableSpan['attributes'] {
    return this.#record.attributes;
  }

  get events(): ReadableSpan['events'] {
    return this.#record.events.map(({ name, at, attributes }) => ({ name, time: hrTime(at), attributes }));
  }
}

/** Returns whole seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}
