import type { SpanEvent, SpanRecord } from '../../protocol/spans.ts';
import type {
  RequestFacts,
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionEvent,
  SessionStart,
  SpanFacts,
} from '../../telemetry/journal/entries.ts';
import { sessionOutcome } from '../../telemetry/journal/outcomes.ts';
import { SpanAttributeList } from './span-attributes.ts';
import type { SpanOutbox } from './span-outbox.ts';

const SWITCHING_PROTOCOLS = 101;
const NO_EVENTS: readonly SpanEvent[] = [];

/** Fields common to all spans of requests. */
interface RequestPlace {
  readonly listener: string;
  readonly route: string;
  readonly cluster: string | undefined;
  readonly endpoint: string | undefined;
  readonly requestFacts: RequestFacts;
  readonly span: SpanFacts | undefined;
}

/**
 * Creates the spans of ended requests and sessions, following OpenTelemetry's semantic conventions for HTTP
 * servers.
 */
export class SpanSink {
  readonly #outbox: Pick<SpanOutbox, 'admits' | 'add'>;

  constructor(outbox: Pick<SpanOutbox, 'admits' | 'add'>) {
    this.#outbox = outbox;
  }

  request(end: RequestEnd): void {
    const { span, status, reason, cause, detail, cut } = end;
    if (span === undefined || !this.#outbox.admits(span.trace.isSampled)) return;
    const attributes = attributesOf(end, span);
    attributes.add('http.response.status_code', status);
    attributes.add('http.request.body.size', end.received);
    attributes.add('http.response.body.size', end.sent);
    attributes.refusal(reason, cause, cut);
    const failure = failureOf(status, detail ?? reason, cut);
    if (failure !== null) attributes.add('error.type', cut ?? String(status));
    this.#outbox.add(recordOf(end, span, attributes, failure, span.startedAt + end.seconds * 1000));
  }

  handshakeRefused(refusal: HandshakeRefusal): void {
    const { span, status, reason, cause, detail, cut } = refusal;
    if (span === undefined || !this.#outbox.admits(span.trace.isSampled)) return;
    const attributes = attributesOf(refusal, span);
    attributes.add('http.response.status_code', status);
    attributes.refusal(reason, cause, cut);
    attributes.add('sluice.websocket.subprotocols_offered', refusal.subprotocol);
    const failure = failureOf(status, detail ?? reason, cut);
    if (failure !== null) attributes.add('error.type', reason);
    this.#outbox.add(recordOf(refusal, span, attributes, failure, span.startedAt + refusal.seconds * 1000));
  }

  /** Creates the span of a session, from its request to its end. */
  session(start: SessionStart, end: SessionEnd, sessionEvents: readonly SessionEvent[]): void {
    const { span } = start;
    if (span === undefined || !this.#outbox.admits(span.trace.isSampled)) return;
    const attributes = attributesOf(start, span);
    attributes.add('http.response.status_code', SWITCHING_PROTOCOLS);
    attributes.add('sluice.websocket.subprotocol', start.subprotocol);
    attributes.add('sluice.websocket.handshake_seconds', start.handshakeSeconds);
    attributes.session(end);
    const hasFailed = sessionOutcome(end.side, end.code) === 'failure';
    const failure = hasFailed ? (end.reason ?? `closed by the ${end.side} with ${end.code}`) : null;
    if (hasFailed) attributes.add('error.type', String(end.code));
    const endedAt = span.startedAt + (start.handshakeSeconds + end.seconds) * 1000;
    const events = [
      { name: 'opened', at: span.startedAt + start.handshakeSeconds * 1000, reason: undefined },
      ...sessionEvents,
    ].map(eventOf);
    this.#outbox.add(recordOf(start, span, attributes, failure, endedAt, events));
  }
}

function attributesOf(
  { listener, route, cluster, endpoint, requestFacts }: RequestPlace,
  span: SpanFacts,
): SpanAttributeList {
  const attributes = new SpanAttributeList();
  attributes.request(span, requestFacts);
  attributes.add('sluice.listener', listener);
  attributes.add('sluice.route', route);
  attributes.add('sluice.cluster', cluster);
  attributes.add('sluice.endpoint', endpoint);
  if (cluster !== undefined) attributes.add('sluice.attempts', span.attempts);
  return attributes;
}

function recordOf(
  { route }: RequestPlace,
  { trace, method, startedAt }: SpanFacts,
  attributes: SpanAttributeList,
  failure: string | null,
  endedAt: number,
  events = NO_EVENTS,
): SpanRecord {
  const { traceId, spanId, parentSpanId, state, isSampled } = trace;
  if (!isSampled) attributes.add('sluice.sampled_by', 'failure');
  const name = attributes.methodName(method);
  return {
    traceId,
    spanId,
    parentSpanId,
    traceState: state,
    isSampled,
    name: route === 'none' ? name : `${name} ${route}`,
    startedAt,
    endedAt,
    failure,
    attributes: attributes.all,
    events,
  };
}

function eventOf({ name, at, reason }: { readonly name: string } & Omit<SessionEvent, 'name'>): SpanEvent {
  const attributes: SpanEvent['attributes'] = reason === undefined ? {} : { 'sluice.reason': reason };
  return { name: `sluice.websocket.${name}`, at, attributes };
}

/**
 * Returns why a response makes its span fail. Null if it does not. A server's span fails on 5xx, not on 4xx.
 */
function failureOf(status: number, words: string | undefined, cut: string | undefined): string | null {
  if (cut !== undefined) return `response cut: ${cut}`;
  return status >= 500 ? (words ?? '') : null;
}
