/** Messages from workers for observability: log lines, events, spans, lines of taps. */
import type { WorkerEvent } from './admin/events.ts';
import type { SpanRecord } from './spans.ts';
import type { TapReport } from './tap.ts';

export type TelemetryReport = LogReport | AccessReport | EventsReport | SpansReport | TapReport;

/** Receives the reports of workers. */
export type TelemetryListener = (report: TelemetryReport, worker: string) => void;

/** Complete log lines, each with a newline at its end. */
interface LogReport {
  readonly type: 'log';
  readonly lines: string;
}

/** Complete lines for the access log's own file, each with a newline at its end. */
interface AccessReport {
  readonly type: 'access_lines';
  readonly lines: string;
}

/** Refusals and failures, newest last. */
interface EventsReport {
  readonly type: 'events';
  readonly events: readonly WorkerEvent[];
  /** Events dropped since the last report because there were too many. */
  readonly suppressed: number;
}

/** Finished spans. */
interface SpansReport {
  readonly type: 'spans';
  readonly spans: readonly SpanRecord[];
  /** Spans dropped since the last report because there were too many. */
  readonly dropped: number;
}
