import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { jsonAnswer, type AdminRequest, type Answer } from './admin-answer.ts';
import type { AdminRefusal, AdminStats } from './admin-stats.ts';

/** Answers refused requests, counts them by reason, and logs them within a rate limit. */
export class AdminRefusals {
  readonly #stats: AdminStats;
  readonly #log: Logger;
  /** By message. */
  readonly #lineLimits = new Map<string, LineLimit>();

  constructor(stats: AdminStats, log: Logger) {
    this.#stats = stats;
    this.#log = log;
  }

  /** Counts and logs a refusal. Returns its answer. */
  refuse(
    { socket }: AdminRequest,
    reason: AdminRefusal,
    status: number,
    message: string,
    headers?: Answer['headers'],
  ): Answer {
    this.logLimited('warn', { reason, client: socket.remoteAddress }, 'admin request refused');
    return this.refuseUnlogged(reason, status, message, headers);
  }

  /** Counts a refusal that the caller logs. Returns its answer. */
  refuseUnlogged(reason: AdminRefusal, status: number, message: string, headers?: Answer['headers']): Answer {
    this.#stats.countRefused(reason);
    return jsonAnswer(status, message, { headers });
  }

  /**
   * Logs a line that clients can provoke, within a rate limit.
   *
   * @param message a constant: each message has its own limit
   */
  logLimited(level: 'warn' | 'error', fields: object, message: string): void {
    let limit = this.#lineLimits.get(message);
    if (limit === undefined) this.#lineLimits.set(message, (limit = new LineLimit()));
    const more = limit.take();
    if (more !== null) this.#log[level]({ ...fields, ...more }, message);
  }
}
