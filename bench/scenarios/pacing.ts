import type { DriveContext } from '../driver/sessions/traffic.ts';
import { Pacer, type Paced } from './pacer.ts';

/**
 * A thread's part of the timetable of an open loop, or null in a closed one: every thread has its share of the
 * rate, and they take turns.
 *
 * @param shares how many threads take part, of which this is the `share`th, from 0
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
