import type { L4Listener } from '../config/types/listener.ts';
import type { Timed, TimerWheel } from '../core/timing/timer-wheel.ts';

type Timeouts = Pick<L4Listener, 'idleTimeoutMs' | 'halfCloseTimeoutMs'>;

/** How long nothing may cross a tunnel, and the reason of its end if nothing does. */
interface SilenceLimit {
  readonly ms: number;
  readonly reason: 'idle timeout' | 'half-close timeout';
}

/**
 * Returns the limit of a tunnel's silence: `idleTimeout`, or `halfCloseTimeout` if that is shorter and the tunnel is
 * half-closed; null for no limit.
 *
 * @param halfClosed whether FIN has been passed on in one direction
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

/** Arms the limit of a tunnel's silence, which begins now. */
export function armSilence(
  tunnel: Timed,
  { wheel, config }: { readonly wheel: TimerWheel; readonly config: Timeouts },
  halfClosed: boolean,
): void {
  const limit = silenceLimit(config, halfClosed);
  if (limit === null) wheel.disarm(tunnel);
  else wheel.arm(tunnel, limit.ms);
}
