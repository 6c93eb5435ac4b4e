/** Additional lines of a report about a replay. */
import { formatBytes, formatCount, formatTime } from '../figures/readable-numbers.ts';
import type { Plan, ReplayPlan } from '../options/plan.ts';
import type { Result } from '../result/result.ts';
import type { PlainValue } from './csv.ts';

const EXPECTED = {
  same: 'the same replies',
  count: 'at least as many replies as recorded',
  none: 'no reply in particular',
} as const;

/** Describes the recording, and how it is played. */
export function replayHead({ connections, threads }: Plan, replay: ReplayPlan): string[] {
  const { file, speed, expect, facts } = replay;
  return [
    `replay of ${file}: ${counted(facts.clients, 'client')} in ${formatTime(facts.durationMs)}, ` +
      `with ${counted(facts.messages, 'message')} and ${formatCount(facts.replies)} ${facts.replies === 1 ? 'reply' : 'replies'}`,
    `on ${counted(connections, 'connection')}, ${counted(threads, 'thread')}, ` +
      `at ${speed === 1 ? 'the recorded speed' : `${speed} times the recorded speed`}; expects ${EXPECTED[expect]}`,
  ];
}

/** Describes the result of a replay, and how the target's replies differed. */
export function replayLines({ replay }: Result): string[] {
  if (replay === null) return [];
  const { played, failed, sent, sentBytes, differences } = replay;
  return [
    `${counted(played, 'client')} played as recorded, ${formatCount(failed)} failed, ` +
      `${counted(sent, 'message')} sent (${formatBytes(sentBytes)})`,
    ...differences.map((difference) => `  ${difference}`),
  ];
}

/** Converts the replay to plain data; null for every other scenario. */
export function replayRecord({ plan, replay }: Result): PlainValue {
  if (plan.replay === null || replay === null) return null;
  const { file, speed, expect, redact, facts } = plan.replay;
  return { file, speed, expect, redact, recording: { ...facts }, ...replay };
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
