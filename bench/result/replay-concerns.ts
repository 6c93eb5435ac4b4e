import { formatCount, formatTime } from '../figures/readable-numbers.ts';
import type { ReplayPlan } from '../options/plan.ts';
import type { Result } from './result.ts';

/** Max lateness that does not change how the target behaves. */
const MAX_LATE_MS = 100;

/** Lists how a replay differed from the recording, one sentence each. */
export function replayConcerns({ facts, expect }: ReplayPlan, result: Result): string[] {
  const concerns: string[] = [];
  const say = (text: string, count: number): void => {
    if (count > 0) concerns.push(`${text}: ${formatCount(count)}.`);
  };
  if (facts.cut.length > 0) {
    concerns.push(
      `The recording has no values for ${facts.cut.join(', ')}: they were cut as secrets. Give headers with -H, and ` +
        'a path with its query in the URL.',
    );
  }
  say('Sessions that were open before the tap have no handshake, and were not played', facts.attached);
  say('Tunnels, whose bytes are not recorded, were not played', facts.tunnels);
  say('Frames, lines and sessions that the tap was too slow for are missing in the recording', facts.lost);
  say('Sessions still open when the tap ended were closed after their last frame', facts.unended);
  say('Messages without a whole payload were sent as random ones of their length', facts.withoutPayload);
  say('Messages were sent with "[redacted]" in place of redacted text', facts.redacted);
  const { replay } = result;
  const unplayed = replay === null ? 0 : replay.begun - replay.played - replay.failed;
  say(
    "Messages came behind a client's last recorded one, which are not in the recording",
    result.unsolicited,
  );
  say('Clients that were not played to their end', unplayed);
  const late = result.timings.lateness.percentile(99);
  if (late > MAX_LATE_MS) {
    concerns.push(
      `Messages were sent later than recorded (99%: ${formatTime(late)}), ` +
        (expect === 'none'
          ? 'by a driver that was short of time or a target that took no more messages or connections.'
          : 'as they wait for the replies before them or for connections to open, or by a driver that was short of time.'),
    );
  }
  return concerns;
}
