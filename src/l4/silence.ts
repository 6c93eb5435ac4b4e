import type { L4Listener } from '../config/types/listener.ts';
import type { Timed, TimerWheel } from '../core/timing/timer-wheel.ts';

type Timeouts = Pick<L4Listener, 'idleTimeoutMs' | 'halfCloseTimeoutMs'>;

/** Max silence of a tunnel, and the reason of its end after that. */
interface SilenceLimit {
  readonly ms: number;
  readonly reason: 'idle timeout' | 'half-close timeout';
}

/**
 * Returns a tunnel's limit of silence: `idleTimeout`, or a shorter `halfCloseTimeout` once half-closed. Null
 * means no limit.
 *
 * @param halfClosed whether one direction's FIN was passed on
 */
export function silenceLimit(
  { idleTimeoutMs, halfCloseTimeoutMs }: Timeouts,
  halfClosed: boolean,
): SilenceLimit | null {
  const idleMs = idleTimeoutMs === 0 ? Infinity : idleTimeoutMs;
  const halfCloseMs = !halfClosed || halfCloseTimeoutMs === 0 ? Infinity : halfCloseTimeoutMs;
  const ms = Math.min(idleMs, halfCloseMs);
  if (ms === Infinity) return null;
  return { ms, reason: halfCloseMs <= idleMs ? 'half-close timeout' : 'idle timeout' };
}

/** Starts the timeout for a tunnel's silence. */
export function armSilence(
  tunnel: Timed,
  { wheel, config }: { readonly wheel: TimerWheel; readonly config: Timeouts },
  halfClosed: boolean,
): void {
  const limit = silenceLimit(config, halfClosed);
  if (limit === null) wheel.disarm(tunnel);
  else wheel.arm(tunnel, limit.ms);
}
