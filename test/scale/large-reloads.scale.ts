/** 1,000 sessions and 200 requests a second, through 50 reloads of 2,000 routes over 1,000 clusters of 10 endpoints. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Prober } from '../../bench/scaling/large/prober.ts';
import { residentBytes } from '../support/processes/process-facts.ts';
import { LargeRig } from '../support/large/large-rig.ts';
import { Conversations } from '../support/websocket/conversations.ts';

const SESSIONS = 1000;
const RELOADS = 50;
/** Each session speaks as often. */
const PERIOD_MS = 2000;
/** 200 requests a second. */
const REQUEST_PERIOD_MS = 5;
/** More connections than a stall of 100 ms keeps busy, so that requests continue. */
const REQUEST_CONNECTIONS = 32;
const BETWEEN_RELOADS_MS = 100;
const MAX_P999_MS = 100;
const MAX_GROWTH_AT_ONCE = 2;
const MAX_GROWTH = 1.3;
/** V8 collects what reloads have left when a thread has had little to do for about 20 s. */
const REST_MS = 60_000;

describe('a large configuration that is reloaded', { timeout: 300_000 }, () => {
  let rig: LargeRig;
  let conversations: Conversations;
  let prober: Prober;

  before(async () => {
    rig = await LargeRig.start();
    conversations = new Conversations(PERIOD_MS);
    prober = new Prober(rig.port, REQUEST_CONNECTIONS, REQUEST_PERIOD_MS);
  });
  after(async () => {
    prober.end();
    conversations.end();
    await rig.stop();
  });

  it('ends no session, fails no request, delays none for long, and does not grow', async (t) => {
    const { pid } = rig.sluice;
    await conversations.open(`ws://${rig.sluice.address('web')}/echo`, SESSIONS);
    const ofSessions: number[] = [];
    conversations.onAnswer = (ms) => ofSessions.push(ms);
    // The endpoint answers with the number of its sessions, so each answer says that none has ended.
    prober.begin('localhost', '/sessions', String(SESSIONS));
    await prober.inForce();
    const [memory, from] = [residentBytes(pid), performance.now()];

    const times: number[] = [];
    for (let count = 0; count < RELOADS; count++) {
      times.push(await rig.reload());
      await rig.assertInForce();
      await new Promise((settle) => setTimeout(settle, BETWEEN_RELOADS_MS));
    }
    const atOnce = residentBytes(pid) / memory;
    const seconds = (performance.now() - from) / 1000;
    const { requests, failures, others, latencies } = prober.seen();
    const failed = await conversations.settle();
    const grown = await atRest(() => residentBytes(pid) / memory);

    const p999 = { sessions: at999(ofSessions), requests: at999(latencies) };
    t.diagnostic(
      `${RELOADS} reloads in ${seconds.toFixed(1)} s, each ${Math.round(at(times, 0.5))} ms, ${Math.round(at(times, 1))} ms at most; ` +
        `p99.9 of ${ofSessions.length} messages ${p999.sessions.toFixed(1)} ms, of ${requests} requests ${p999.requests.toFixed(1)} ms; ` +
        `memory ${(memory / 1e6).toFixed(0)} MB before, ${atOnce.toFixed(2)} times that after, ${grown.toFixed(2)} times at rest`,
    );
    assert.deepEqual(failed, []);
    assert.equal(conversations.all.filter(({ isOpen }) => !isOpen).length, 0, 'sessions that ended');
    assert.deepEqual({ failures, others }, { failures: 0, others: 0 });
    assert.ok(requests > 0.8 * seconds * (1000 / REQUEST_PERIOD_MS), `only ${requests} requests`);
    assert.ok(p999.requests < MAX_P999_MS, `p99.9 of requests: ${p999.requests} ms`);
    assert.ok(p999.sessions < MAX_P999_MS, `p99.9 of messages: ${p999.sessions} ms`);
    assert.ok(atOnce < MAX_GROWTH_AT_ONCE, `${atOnce} times the memory`);
    assert.ok(grown < MAX_GROWTH, `${grown} times the memory at rest`);
  });
});

/** Waits until a share of memory is below the limit, or the time for it is over. Returns the last value. */
async function atRest(read: () => number): Promise<number> {
  const end = performance.now() + REST_MS;
  let value = read();
  while (value >= MAX_GROWTH && performance.now() < end) {
    await new Promise((settle) => setTimeout(settle, 500));
    value = read();
  }
  return value;
}

/** @param share quantile, from 0 to 1 */
function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

function at999(values: readonly number[]): number {
  return at(values, 0.999);
}
