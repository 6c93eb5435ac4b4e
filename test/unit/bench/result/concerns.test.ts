/** The reasons to doubt a result. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WRONG_LENGTH } from '../../../../bench/driver/measuring/outcome.ts';
import { parseArguments } from '../../../../bench/options/arguments.ts';
import { concernsOf } from '../../../../bench/result/concerns.ts';
import { mergeOutcomes, type Result } from '../../../../bench/result/result.ts';

const RATES = { percentiles: { p1: 0, 'p2.5': 0, p50: 0, 'p97.5': 0 }, mean: 0, deviation: 0, least: 0 };

/** Returns the concerns of a second on two connections. */
function concerns(options: string, changes: Partial<Result>): string[] {
  const { plan } = parseArguments(['ws://127.0.0.1:1/', ...options.split(' ')]);
  const nothing = mergeOutcomes(plan, [], false);
  return concernsOf({ ...nothing, opened: 2, measuredMs: 1000, messages: 1000, ...changes });
}

describe('the concerns of a run', () => {
  it('are none for a run that had its replies', () => {
    assert.deepEqual(concerns('-c 2', { busy: [0.5] }), []);
    assert.deepEqual(concerns('-c 2 -R 100', { messageRates: { ...RATES, mean: 99.5 } }), []);
  });

  it('say what the server must do if nothing was answered', () => {
    const [echo, ...more] = concerns('-c 2', { messages: 0 });
    assert.match(echo!, /^Nothing was answered\. .* sends every message back.* --scenario upload/);
    assert.deepEqual(more, []);
    const needs: readonly (readonly [string, RegExp])[] = [
      ['upload', /^Nothing was answered\. .* answers pings\.$/],
      ['fan-out', /^Nothing was answered\. .* to all connections\.$/],
    ];
    for (const [scenario, need] of needs) {
      const size = scenario === 'fan-out' ? ' -s 64' : '';
      assert.match(concerns(`-c 2 --scenario ${scenario}${size}`, { messages: 0 })[0]!, need);
    }
    assert.deepEqual(concerns('-c 2 --scenario idle', { messages: 0 }), []);
  });

  it('say so if the replies are other messages, which are not counted', () => {
    const errors = new Map([[WRONG_LENGTH, 3]]);
    assert.match(concerns('-c 2', { errors })[0]!, /^Replies differ .* sends every message back/);
    assert.match(concerns('-c 2', { errors, messages: 0 })[0]!, /^Replies differ /);
  });

  it('say how busy the driver was if the rate was not reached', () => {
    const messageRates = { ...RATES, mean: 2000 };
    const short = concerns('-c 2 -R 5000', { messageRates, busy: [0.3, 0.99] });
    assert.match(short[0]!, /^The rate was not reached: 2,000 of 5,000 a second\. .* 99% busy.* -w/);
    assert.deepEqual(concerns('-c 2 -m 4 -R 5000', { messageRates, busy: [0.3, 0.52] }), [
      'The rate was not reached: 2,000 of 5,000 a second. The busiest driver thread was 52% busy, so the ' +
        'target took no more with at most 4 in flight (-m) on each of 2 connections (-c).',
    ]);
    assert.match(
      concerns('-c 2 -R 5000 --scenario connect', { messageRates, busy: [0.1] })[0]!,
      /on 2 connections at a time \(-c\)\.$/,
    );
  });

  it('name no limit of the target if no connection opened', () => {
    assert.deepEqual(concerns('-c 2 -R 10', { opened: 0, messages: 0, busy: [0.1] }), [
      'The rate was not reached: 0 of 10 a second.',
    ]);
  });
});
