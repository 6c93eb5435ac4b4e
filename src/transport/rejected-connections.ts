import type { ConnectionStats } from '../telemetry/connection-stats.ts';
import { CLIENT_LINES, LineLimit } from '../telemetry/line-limit.ts';
import type { Journal } from '../telemetry/journal/journal.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EntryRejection } from './entry.ts';

/** Reasons of clients that simply left, like port scans and health checks. They cause no event. */
const HARMLESS: ReadonlySet<string> = new Set(['proxy_ended', 'hello_ended', 'tls_ended']);

/** Counts a listener's connections closed before they could be served, and writes a debug line for each. */
export class RejectedConnections {
  readonly #listener: string;
  readonly #stats: ConnectionStats;
  readonly #log: Logger;
  readonly #journal: Journal;
  readonly #lines: LineLimit;

  /** @param lines limits the log lines, which clients can provoke */
  constructor(
    listener: string,
    stats: ConnectionStats,
    log: Logger,
    journal: Journal,
    lines = new LineLimit(undefined, CLIENT_LINES),
  ) {
    this.#listener = listener;
    this.#stats = stats;
    this.#log = log;
    this.#journal = journal;
    this.#lines = lines;
  }

  add({ peer, reason, ...details }: EntryRejection): void {
    this.#stats.rejected(reason);
    if (!HARMLESS.has(reason)) {
      // With PROXY headers, the peer is the proxy in front.
      const { detail, address = peer } = details;
      this.#journal.connectionRefused({
        kind: 'connection',
        listener: this.#listener,
        client: address === '' ? undefined : address,
        reason,
        detail,
      });
    }
    const more = this.#log.isLevelEnabled('debug') ? this.#lines.take() : null;
    if (more === null) return;
    const fields = { listener: this.#listener, client: peer, reason, ...details, ...more };
    this.#log.debug(fields, 'connection rejected');
  }
}
