import { formatCount, formatTime } from '../figures/readable-numbers.ts';
import type { ReplayPlan } from '../options/plan.ts';
import type { Result } from './result.ts';

/** A lateness that may change how the target behaves. */
const LATE_MS = 100;

/** Lists how a replay differs from what was recorded, a sentence each. */
export function replayConcerns({ facts, expect }: ReplayPlan, result: Result): string[] {
  const concerns: string[] = [];
  const say = (count: number, text: string): void => {
    if (count > 0) concerns.push(`${formatCount(count)} ${text}`);
  };
  if (facts.cut.length > 0) {
    concerns.push(
      `The recording has no values for ${facts.cut.join(', ')}: they were cut as secrets, and left out of the ` +
        'handshakes. Give headers with -H, and parameters in the path of the URL.',
    );
  }
  say(facts.attached, 'recorded sessions were open before the tap, so they have no handshake, and were not played.');
  say(facts.tunnels, 'recorded tunnels were not played: their bytes are not recorded.');
  say(facts.lost, 'frames, lines or sessions are missing in the recording: the tap was too slow for them.');
  say(facts.unended, 'recorded sessions went on when the tap ended: they were closed behind their last frame.');
  say(facts.withoutPayload, 'messages have no whole payload in the recording: random ones of their length were sent.');
  say(facts.redacted, 'messages were sent with "[redacted]" instead of what a rule has removed.');
  const replay = result.replay;
  const unplayed = replay === null ? 0 : replay.begun - replay.played - replay.failed;
  say(unplayed, 'clients were not played to their end.');
  const late = result.timings.lateness.percentile(99);
  if (late > LATE_MS) {
    concerns.push(
      `Messages were sent later than recorded (99%: ${formatTime(late)}), ` +
        (expect === 'none'
          ? 'by a driver that was short of time or a target that took no more.'
          : 'as they wait for the replies before them, or by a driver that was short of time.'),
    );
  }
  return concerns;
}
