import type { DriveContext } from '../driver/sessions/traffic.ts';
import { Pacer, type Paced } from './pacer.ts';

/**
 * Returns a thread's part of an open loop's timetable, or null in a closed loop. Threads share the rate
 * equally and take turns.
 *
 * @param share index of this thread among those that send, from 0
 * @param shares number of threads that send
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
