import type { SpanRecord } from '../../protocol/spans.ts';
import type { ExemplarStore } from '../../telemetry/exposition/exemplar-store.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';

const SWITCHING_PROTOCOLS = 101;

/** Records the durations of an exported span, so that a slow bucket in `/metrics` links to its trace. */
export function noteExemplars(exemplars: Pick<ExemplarStore, 'record'>, span: SpanRecord): void {
  const { attributes, traceId, startedAt, endedAt } = span;
  const listener = textOf(attributes['sluice.listener']);
  if (attributes['http.response.status_code'] === SWITCHING_PROTOCOLS) {
    const labels = { listener, cluster: textOf(attributes['sluice.cluster']) };
    const handshake = Number(attributes['sluice.websocket.handshake_seconds']);
    const openedAt = startedAt + handshake * 1000;
    exemplars.record(pageMetrics.handshakeDuration, labels, handshake, traceId, openedAt);
    const seconds = Number(attributes['sluice.websocket.seconds']);
    exemplars.record(pageMetrics.sessionDuration, labels, seconds, traceId, endedAt);
    return;
  }
  // The histogram does not include handshakes, whose spans have no body size.
  if (attributes['http.response.body.size'] === undefined) return;
  const labels = { listener, route: textOf(attributes['sluice.route']) };
  exemplars.record(pageMetrics.httpDuration, labels, (endedAt - startedAt) / 1000, traceId, endedAt);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
