import { LineLimit } from '../telemetry/line-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isOwn } from './attempts.ts';
import type { ConnectFailure } from './endpoint.ts';

/** Lines of failed attempts: clients can provoke them. */
const FAILURES = { burst: 50, everyMs: 100 };

/** A failed attempt at an endpoint. */
interface FailedAttempt {
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string | undefined;
  readonly reason: ConnectFailure;
  readonly detail: string;
  readonly requestId?: string;
}

/** Logs the failed attempts of one cluster in one worker, within a limit of lines. */
export class FailureLog {
  readonly #failures: LineLimit;
  readonly #shortages: LineLimit;

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number) {
    this.#failures = new LineLimit(clock, FAILURES);
    this.#shortages = new LineLimit(clock);
  }

  write(log: Logger, attempt: FailedAttempt): void {
    const own = isOwn(attempt.reason);
    const more = (own ? this.#shortages : this.#failures).take();
    if (more === null) return;
    if (own) log.error({ ...attempt, ...more }, 'endpoint not dialled: own shortage');
    else log.warn({ ...attempt, ...more }, 'endpoint failed');
  }
}
