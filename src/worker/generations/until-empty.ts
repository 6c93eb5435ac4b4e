const POLL_MS = 50;

/** The time by which a worker waits for listeners and connections to end. */
export interface Clock {
  /** Milliseconds from any beginning; never goes back. */
  now(): number;
  /** Calls back once. */
  delay(ms: number, callback: () => void): void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  delay: (ms, callback) => void setTimeout(callback, ms),
};

/** What a worker that ends still carries. */
interface Remainder {
  /** Whether a session, tunnel, handshake or request is under way. */
  readonly busy: boolean;
  /** Client connections that are open, idle ones included. */
  readonly connections: number;
}

/**
 * Resolves when nothing remains, when only idle connections have remained for `lingerMs`, or after `maxMs`. Looks every
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
