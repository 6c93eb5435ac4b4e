import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LatencyCounts } from '../../../../bench/driver/measuring/latency-counts.ts';
import type { ReplayCounts } from '../../../../bench/driver/measuring/outcome.ts';
import type { RecordingFacts, ReplayPlan } from '../../../../bench/options/plan.ts';
import { replayLines, replayRecord } from '../../../../bench/report/replay-report.ts';
import { Distribution } from '../../../../bench/result/distribution.ts';
import { replayConcerns } from '../../../../bench/result/replay-concerns.ts';
import type { Result } from '../../../../bench/result/result.ts';

const FACTS: RecordingFacts = {
  clients: 3,
  durationMs: 1000,
  messages: 10,
  replies: 10,
  attached: 0,
  tunnels: 0,
  unended: 0,
  lost: 0,
  withoutPayload: 0,
  redacted: 0,
  cut: [],
};
const COUNTS: ReplayCounts = { begun: 3, played: 3, failed: 0, sent: 10, sentBytes: 50, differences: [] };

function concernsOf(
  facts: Partial<RecordingFacts>,
  counts: Partial<ReplayCounts> = {},
  lateMs = 0,
): string[] {
  const lateness = new LatencyCounts();
  lateness.record(lateMs);
  const replay: ReplayPlan = {
    file: 'a.jsonl',
    speed: 1,
    expect: 'count',
    redact: [],
    facts: { ...FACTS, ...facts },
  };
  const result = {
    replay: { ...COUNTS, ...counts },
    unsolicited: 0,
    timings: { lateness: new Distribution([lateness.counts]) },
  } as unknown as Result;
  return replayConcerns(replay, result);
}

describe('the concerns of a replay', () => {
  it('are none if everything was recorded and played', () => assert.deepEqual(concernsOf({}), []));

  it('name everything that the recording lacks', () => {
    const cases: readonly (readonly [Partial<RecordingFacts>, RegExp])[] = [
      [{ cut: ['cookie', '?token'] }, /no values for cookie, \?token: .* -H/],
      [{ attached: 2 }, /open before the tap .*: 2\.$/],
      [{ tunnels: 1 }, /^Tunnels, .*: 1\.$/],
      [{ lost: 5 }, /missing in the recording: 5\.$/],
      [{ unended: 4 }, /still open when the tap ended .*: 4\.$/],
      [{ withoutPayload: 6 }, /without a whole payload .*: 6\.$/],
      [{ redacted: 7 }, /sent with "\[redacted\]" .*: 7\.$/],
    ];
    for (const [facts, text] of cases) {
      const [concern, ...more] = concernsOf(facts);
      assert.match(concern!, text);
      assert.deepEqual(more, []);
    }
  });

  it('name unfinished clients and late messages', () => {
    assert.deepEqual(concernsOf({}, { played: 1, failed: 1 }), [
      'Clients that were not played to their end: 1.',
    ]);
    assert.match(concernsOf({}, {}, 500)[0]!, /^Messages were sent later than recorded \(99%: 500 ms\)/);
  });
});

describe('the report of a replay', () => {
  it('is empty for other scenarios', () => {
    assert.deepEqual(replayLines({ replay: null } as Result), []);
    assert.equal(replayRecord({ plan: { replay: null }, replay: null } as Result), null);
  });

  it('counts clients and messages, and lists the differences', () => {
    const replay: ReplayCounts = { ...COUNTS, played: 1, failed: 2, differences: ['session a, b'] };
    assert.deepEqual(replayLines({ replay } as Result), [
      '1 client played as recorded, 2 failed, 10 messages sent (50 B)',
      '  session a, b',
    ]);
  });
});
