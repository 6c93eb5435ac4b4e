import type { DrainSettings } from '../../config/types/config.ts';
import type { Heirs, Pace } from '../../protocol/to-worker.ts';

/** How all workers end. */
export interface Ending {
  readonly graceMs: number;
  /** How fast sessions end; null for all at once. */
  readonly drain: DrainSettings | null;
  /** Who listens on the same addresses already. */
  readonly heirs: Heirs | null;
}

/** Fraction of the grace period spent closing sessions; the rest is for what the last closes take. */
const CLOSING_FRACTION = 0.9;

/**
 * Paces the end of all workers: fast enough for all sessions to end within the grace period.
 *
 * @param counts what each worker carries that ends
 * @returns null for all sessions at once
 */
export function paceOf(
  { graceMs, drain, heirs }: Ending,
  counts: readonly { readonly sessions: number; readonly tunnels: number }[],
): Pace | null {
  if (drain === null || graceMs === 0) return null;
  // Tunnels are not paced: they have the whole grace period, unless others have taken over.
  const count = counts.reduce(
    (sum, { sessions, tunnels }) => sum + sessions + (heirs === null ? 0 : tunnels),
    0,
  );
  const seconds = (graceMs * CLOSING_FRACTION) / 1000;
  return { ...drain, rate: Math.max(drain.rate, count / seconds), deadlineMs: graceMs };
}

/** A point in time that can be brought forward. */
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

  /** Lets the deadline pass in some milliseconds, unless it passes earlier. */
  shorten(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#pass, ms, undefined);
  }

  /** Never lets the deadline pass. */
  cancel(): void {
    clearTimeout(this.#timer);
  }
}
