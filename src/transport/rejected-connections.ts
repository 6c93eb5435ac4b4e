import type { ConnectionStats } from '../telemetry/connection-stats.ts';
import { CLIENT_LINES, LineLimit } from '../telemetry/line-limit.ts';
import type { Journal } from '../telemetry/journal/journal.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EntryRejection } from './entry.ts';

/** Clients that have gone, as port scans and health checks do: no event tells of them. */
const HARMLESS: ReadonlySet<string> = new Set(['proxy_ended', 'hello_ended', 'tls_ended']);

/** Counts the connections of a listener that are closed before they can be served, and writes a debug line for each. */
export class RejectedConnections {
  readonly #listener: string;
  readonly #stats: ConnectionStats;
  readonly #log: Logger;
  readonly #journal: Journal;
  readonly #lines: LineLimit;

  /** @param lines limits the lines, which clients can provoke */
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
      // Behind a proxy that sends PROXY headers, the peer is that proxy.
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
