import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LatencyCounts } from '../../../../bench/driver/measuring/latency-counts.ts';
import type { Outcome } from '../../../../bench/driver/measuring/outcome.ts';
import { parseArguments } from '../../../../bench/options/arguments.ts';
import { parseAssertion } from '../../../../bench/options/assertion.ts';
import { mergeOutcomes, type Result } from '../../../../bench/result/result.ts';
import { judge } from '../../../../bench/result/verdict.ts';
import { UsageError } from '../../../../src/core/errors.ts';

/** Returns the result of two seconds with 100 messages, which took 1 ms, 2 ms ... 100 ms. */
function result(more: Partial<Outcome> = {}): Result {
  const invocation = parseArguments(['ws://127.0.0.1:9001/']);
  const latency = new LatencyCounts();
  for (let ms = 1; ms <= 100; ms++) latency.record(ms);
  const none = new LatencyCounts().counts;
  const outcome: Outcome = {
    latency: latency.counts,
    lateness: none,
    connect: none,
    tls: none,
    handshake: none,
    messages: Float64Array.of(60, 40),
    bytes: Float64Array.of(6000, 4000),
    measuredMs: 2000,
    opened: 1,
    errors: new Map(),
    closes: new Map(),
    lost: 0,
    unanswered: 0,
    unsent: 0,
    unsolicited: 0,
    resumed: 0,
    busy: 0.5,
    cpuMs: 10,
    replay: null,
    ...more,
  };
  return mergeOutcomes(invocation.plan, [outcome], false);
}

function holds(text: string, of: Result = result()): boolean {
  return judge(of, parseAssertion(text)).holds;
}

describe('assertions', () => {
  it('compare latencies in every unit', () => {
    assert.ok(holds('p50<51ms') && holds('p50>49ms'));
    assert.ok(holds('p99<=0.1s') && holds('p99 > 98000us'));
    assert.ok(holds('p97.5<98.1ms') && holds('p100>=99.9ms'));
    assert.ok(holds('max<1m') && holds('min<1.01ms') && holds('mean>50ms') && holds('mean<51ms'));
    assert.ok(holds('deviation>28ms') && holds('deviation<30ms'));
    assert.ok(!holds('p99<5ms') && !holds('max>1s'));
  });

  it('compare totals and rates', () => {
    assert.ok(holds('rate=50') && holds('rate>49') && !holds('rate>50'));
    assert.ok(holds('messages>=100') && holds('bytes=5KB') && !holds('bytes>1MiB'));
    assert.ok(holds('errors=0') && holds('closes=0'));
    const bad = result({
      errors: new Map([['connect: ECONNREFUSED', 3]]),
      lost: 2,
      closes: new Map([['1011', 1]]),
    });
    assert.ok(holds('errors=5', bad) && holds('closes=1', bad) && !holds('errors=0', bad));
  });

  it('do not hold for values that were not measured', () => {
    assert.deepEqual(judge(result(), parseAssertion('handshake.p99<1m')), {
      assertion: parseAssertion('handshake.p99<1m'),
      actual: null,
      holds: false,
    });
    assert.ok(!holds('tls.max<1m'));
  });

  it('compare handshake times', () => {
    const handshake = new LatencyCounts();
    handshake.record(7);
    const opened = result({ handshake: handshake.counts });
    assert.ok(holds('handshake.p99.9<7.1ms', opened) && holds('handshake.max>6.9ms', opened));
    assert.ok(holds('latency.p50<51ms', opened));
  });

  it('are refused with a one-line error if malformed', () => {
    for (const text of [
      '',
      'p99',
      'p99<',
      'p99<5',
      'p101<5ms',
      'p<5ms',
      'latency<5ms',
      'rate>5ms',
      'p99!5ms',
      'x.p99<5ms',
    ]) {
      assert.throws(
        () => parseAssertion(text),
        (error) => error instanceof UsageError && !error.message.includes('\n'),
        text,
      );
    }
  });
});
