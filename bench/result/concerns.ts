import { WRONG_LENGTH } from '../driver/measuring/outcome.ts';
import { formatCount, formatTime } from '../figures/readable-numbers.ts';
import type { ScenarioName } from '../options/plan.ts';
import { replayConcerns } from './replay-concerns.ts';
import type { Result } from './result.ts';

/** Max fraction of the time that a thread of the load generator may be busy. */
const MAX_BUSY_SHARE = 0.95;
/** Min fraction of the requested rate. */
const MIN_RATE_SHARE = 0.99;
/** Max lateness, as a fraction of the p99 latency and in milliseconds. */
const MAX_LATE_SHARE = 0.1;
const MAX_LATE_MS = 1;
/** Min fraction of connections that must resume their TLS session. */
const MIN_RESUMED_SHARE = 0.95;

const MORE_THREADS = 'Add threads with -w, on separate cores.';
/** Needs of the scenarios: the server's part. */
const NEEDS: Readonly<Partial<Record<ScenarioName, string>>> = {
  echo:
    'The scenario echo needs a server that sends every message back, unchanged and in order. For other ' +
    'servers, use --scenario upload, connect or idle, or --replay FILE.',
  'fan-out': "The scenario fan-out needs a server that sends the publisher's messages to all connections.",
  upload: 'The scenario upload needs a server that answers pings.',
};

/** Lists reasons to doubt the figures, one or two sentences each. */
export function concernsOf(result: Result): string[] {
  const { plan, timings, messageRates, busy, interrupted } = result;
  const concerns: string[] = [];
  if (interrupted) concerns.push('The run was ended before its time.');
  const wantsReplies = plan.replay === null ? plan.scenario !== 'idle' : plan.replay.facts.replies > 0;
  // First, because a different reply is not counted as an answer.
  if (result.errors.has(WRONG_LENGTH)) {
    concerns.push(`Replies differ from the messages. ${NEEDS.echo!}`);
  } else if (result.opened > 0 && result.measuredMs > 0 && result.messages === 0 && wantsReplies) {
    concerns.push(`Nothing was answered. ${NEEDS[plan.scenario] ?? ''}`.trim());
  }
  const busiest = Math.max(0, ...busy);
  if (plan.rate === null) {
    if (busiest > MAX_BUSY_SHARE && plan.scenario !== 'idle') {
      concerns.push(
        `A driver thread was ${Math.round(busiest * 100)}% busy: these may be the limits of the load ` +
          `generator. ${MORE_THREADS}`,
      );
    }
  } else {
    const late = timings.lateness.percentile(99);
    const asked = plan.scenario === 'fan-out' ? 0 : plan.rate;
    if (messageRates.mean < asked * MIN_RATE_SHARE) {
      concerns.push(
        `The rate was not reached: ${formatCount(messageRates.mean)} of ${formatCount(asked)} a second. ${limitOf(result)}`.trim(),
      );
    }
    if (late > MAX_LATE_MS && late > MAX_LATE_SHARE * timings.latency.percentile(99)) {
      concerns.push(
        `Messages were sent late (99%: ${formatTime(late)}), by a driver that was short of time or a target ` +
          'that took no more; their latency counts from when they were due.',
      );
    }
  }
  if (plan.resume && result.resumed < MIN_RESUMED_SHARE * result.opened) {
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

/**
 * Says whether the load generator or the target kept an open loop from its rate. Empty if no connection opened:
 * the errors say why.
 */
function limitOf({ plan, busy, opened }: Result): string {
  if (opened === 0) return '';
  const busiest = Math.max(0, ...busy);
  const share = `${Math.round(busiest * 100)}%`;
  if (busiest > MAX_BUSY_SHARE) {
    return `A driver thread was ${share} busy, so this may be the limit of the load generator. ${MORE_THREADS}`;
  }
  const limit =
    plan.scenario === 'connect'
      ? `on ${formatCount(plan.connections)} connections at a time (-c)`
      : `with at most ${formatCount(plan.inFlight)} in flight (-m) on each of ${formatCount(plan.connections)} connections (-c)`;
  return `The busiest driver thread was ${share} busy, so the target took no more ${limit}.`;
}
