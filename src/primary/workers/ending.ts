import type { DrainSettings } from '../../config/types/config.ts';
import type { Successors, Pace } from '../../protocol/to-worker.ts';

/** How all workers end. */
export interface Ending {
  readonly graceMs: number;
  /** How fast sessions end; null to end all at once. */
  readonly drain: DrainSettings | null;
  /** Who already listens on the same addresses. */
  readonly successors: Successors | null;
}

/** Fraction of the grace period spent closing sessions. The rest is for the last closing handshakes. */
const CLOSING_FRACTION = 0.9;

/**
 * Computes a pace that ends all sessions within the grace period.
 *
 * @param counts number of connections of each worker
 * @returns null to end all sessions at once
 */
export function paceOf(
  { graceMs, drain, successors }: Ending,
  counts: readonly { readonly sessions: number; readonly tunnels: number }[],
): Pace | null {
  if (drain === null || graceMs === 0) return null;
  // Tunnels need no pace: they have the whole grace period, unless successors have taken over.
  const count = counts.reduce(
    (sum, { sessions, tunnels }) => sum + sessions + (successors === null ? 0 : tunnels),
    0,
  );
  const seconds = (graceMs * CLOSING_FRACTION) / 1000;
  return { ...drain, rate: Math.max(drain.rate, count / seconds), deadlineMs: graceMs };
}

/** A deadline that can be moved earlier. */
export class Deadline {
  readonly passed: Promise<undefined>;
  readonly #pass: (nothing: undefined) => void;
  #at = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.passed = promise;
    this.#pass = resolve;
  }

  /** Moves the deadline to `ms` from now, unless it passes earlier. */
  shorten(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#pass, ms, undefined);
  }

  /** Stops the timer: the deadline never passes. */
  cancel(): void {
    clearTimeout(this.#timer);
  }
}
