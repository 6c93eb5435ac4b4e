import { LineLimit } from '../telemetry/line-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isOwn } from './attempts.ts';
import type { ConnectFailure } from './endpoint.ts';

/** Lines of failed attempts: clients can provoke them. */
const FAILURES = { burst: 50, everyMs: 100 };
/** Lines of shortages: one tells all. */
const SHORTAGES = { burst: 1, everyMs: 10_000 };

/** An attempt at an endpoint that has failed. */
interface FailedAttempt {
  readonly cluster: string;
  /** Its label. */
  readonly endpoint: string | undefined;
  readonly reason: ConnectFailure;
  readonly detail: string;
  readonly requestId?: string;
}

/** Writes the failed attempts of one cluster in one worker to the log, and never more than its bounds. */
export class FailureLog {
  readonly #failures: LineLimit;
  readonly #shortages: LineLimit;

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number) {
    this.#failures = new LineLimit(FAILURES, clock);
    this.#shortages = new LineLimit(SHORTAGES, clock);
  }

  write(log: Logger, attempt: FailedAttempt): void {
    const own = isOwn(attempt.reason);
    const more = (own ? this.#shortages : this.#failures).take();
    if (more === null) return;
    if (own) log.error({ ...attempt, ...more }, 'endpoint not dialled: the proxy is short of something');
    else log.warn({ ...attempt, ...more }, 'endpoint failed');
  }
}
