import { Pacer, type Paced } from '../driver/pacer.ts';
import type { Plan } from '../options/plan.ts';

/**
 * A thread's part of the timetable of an open loop, or null in a closed one: every thread has its share of the
 * rate, and they take turns.
 */
export function pacerFor(plan: Plan, thread: number, threads: number, paced: Paced): Pacer | null {
  if (plan.rate === null) return null;
  const betweenMs = 1000 / plan.rate;
  return new Pacer(betweenMs * threads, betweenMs * thread, paced);
}
