/** What workers tell so that people can see what happens: lines, events, spans, lines of taps. */
import type { WorkerEvent } from './admin/events.ts';
import type { SpanRecord } from './spans.ts';
import type { TapCommand, TapReport } from './tap.ts';

export type SightReport = LogReport | AccessReport | EventsReport | SpansReport | TapReport;

/** Takes what a worker tells. @param reply sends a message to the worker, or to the one that has taken its place */
export type SightListener = (
  report: SightReport,
  worker: string,
  reply: (command: TapCommand) => void,
) => void;

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

/** Refused and failed things, newest last. */
interface EventsReport {
  readonly type: 'events';
  readonly events: readonly WorkerEvent[];
  /** Events since the last report that are not in any, because there were too many. */
  readonly suppressed: number;
}

/** Spans that have ended. */
interface SpansReport {
  readonly type: 'spans';
  readonly spans: readonly SpanRecord[];
  /** Spans since the last report that are not in any, because there were too many. */
  readonly dropped: number;
}
