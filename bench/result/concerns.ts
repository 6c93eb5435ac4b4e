import { formatCount, formatTime } from '../figures/readable-numbers.ts';
import { replayConcerns } from './replay-concerns.ts';
import type { Result } from './result.ts';

const BUSY = 0.95;
/** Min fraction of the requested rate. */
const REACHED = 0.99;
/** Lateness that shows in the latencies. */
const LATE_SHARE = 0.1;
const LATE_MS = 1;
/** Min fraction of connections that must resume their TLS session. */
const RESUMED = 0.95;

/** Lists reasons to doubt the figures, one sentence each. */
export function concernsOf(result: Result): string[] {
  const { plan, timings, messageRates, busy, interrupted } = result;
  const concerns: string[] = [];
  if (interrupted) concerns.push('The run was ended before its time.');
  const wantsReplies = plan.replay === null ? plan.scenario !== 'idle' : plan.replay.facts.replies > 0;
  if (result.opened > 0 && result.measuredMs > 0 && result.messages === 0 && wantsReplies) {
    concerns.push('Nothing was answered.');
  }
  if (plan.rate === null) {
    const busiest = Math.max(0, ...busy);
    if (busiest > BUSY && plan.scenario !== 'idle') {
      concerns.push(
        `A driver thread was ${Math.round(busiest * 100)}% busy: these may be the limits of the load ` +
          'generator. Add threads with -w, on separate cores.',
      );
    }
  } else {
    const late = timings.lateness.percentile(99);
    const asked = plan.scenario === 'fan-out' ? 0 : plan.rate;
    if (messageRates.mean < asked * REACHED) {
      concerns.push(
        `The rate was not reached: ${formatCount(messageRates.mean)} of ${formatCount(asked)} a second.`,
      );
    }
    if (late > LATE_MS && late > LATE_SHARE * timings.latency.percentile(99)) {
      concerns.push(
        `Messages were sent late (99%: ${formatTime(late)}), by a driver that was short of time or a target ` +
          'that took no more; their latency counts from when they were due.',
      );
    }
  }
  if (plan.resume && result.resumed < RESUMED * result.opened) {
    concerns.push(
      `Only ${formatCount(result.resumed)} of ${formatCount(result.opened)} connections have resumed a TLS session.`,
    );
  }
  if (result.unsent > 0) {
    concerns.push(
      `${formatCount(result.unsent)} messages that were due could not be sent: they count with the time ` +
        'that they had waited.',
    );
  }
  if (result.unsolicited > 0 && plan.replay === null) {
    concerns.push(`${formatCount(result.unsolicited)} messages came that were no reply.`);
  }
  if (plan.replay !== null) concerns.push(...replayConcerns(plan.replay, result));
  return concerns;
}
