import type { DriveContext } from '../driver/sessions/traffic.ts';
import { Pacer, type Paced } from './pacer.ts';

/**
 * Returns a thread's part of the timetable of an open loop, null in a closed loop. Threads share the rate
 * equally and take turns.
 *
 * @param shares number of threads that take part; this is the `share`th, from 0
 */
export function pacerFor(
  { plan, dialler }: DriveContext,
  paced: Paced,
  share: number,
  shares: number,
): Pacer | null {
  if (plan.rate === null) return null;
  const betweenMs = 1000 / plan.rate;
  return new Pacer({
    intervalMs: betweenMs * shares,
    phaseMs: betweenMs * share,
    paced,
    soon: (callback) => dialler.soon(callback),
  });
}
