import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ConnectFailure } from '../endpoint.ts';
import { FAILURES } from './failure-table.ts';

/** Rate limit of failure lines, because clients can provoke them. */
const FAILURE_LINE_LIMIT = { burst: 50, everyMs: 100 };

/** Fields of a log line. */
interface FailureFields {
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  readonly requestId: string | undefined;
  readonly reason: ConnectFailure;
  readonly detail: string;
}

/** Logs the failed attempts of one cluster in one worker, at a limited rate. */
export class FailureLog {
  readonly #failures: LineLimit;
  readonly #shortages: LineLimit;

  /** @param clock milliseconds on the monotonic clock */
  constructor(clock: () => number) {
    this.#failures = new LineLimit(clock, FAILURE_LINE_LIMIT);
    this.#shortages = new LineLimit(clock);
  }

  write(log: Logger, fields: FailureFields): void {
    const { isLocal, line } = FAILURES[fields.reason];
    const more = (isLocal ? this.#shortages : this.#failures).take();
    if (more === null) return;
    if (isLocal) log.error({ ...fields, ...more }, line);
    else log.warn({ ...fields, ...more }, line);
  }
}
