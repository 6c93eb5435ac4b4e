const POLL_MS = 50;

/** The clock for a worker's waits. */
export interface Clock {
  /** Milliseconds from any start. Never goes back. */
  now(): number;
  /** Calls back once. */
  delay(ms: number, callback: () => void): void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  delay: (ms, callback) => void setTimeout(callback, ms),
};

/** Remaining work of an ending worker. */
interface Remainder {
  /** Whether a session, tunnel, handshake or request is in progress. */
  readonly busy: boolean;
  /** Number of open client connections, including idle ones. */
  readonly connections: number;
}

/**
 * Resolves when nothing remains, after `lingerMs` with only idle connections, or after `maxMs`. Checks every
 * 50 ms.
 */
export function untilEmpty(
  remainder: () => Remainder,
  { lingerMs, maxMs }: { readonly lingerMs: number; readonly maxMs: number },
  clock: Clock,
): Promise<void> {
  return new Promise((resolve) => {
    const endsAt = clock.now() + maxMs;
    let idleSince = Infinity;
    const look = (): void => {
      const { busy, connections } = remainder();
      const now = clock.now();
      idleSince = busy ? Infinity : Math.min(idleSince, now);
      const isEmpty = !busy && (connections === 0 || now - idleSince >= lingerMs);
      if (isEmpty || now >= endsAt) resolve();
      else clock.delay(POLL_MS, look);
    };
    look();
  });
}
