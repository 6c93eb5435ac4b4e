import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveModel } from '../../../../src/cli/top/rates.ts';
import { liveFrame } from '../../../support/http/live-frame.ts';

describe('rates in top', () => {
  it('are the difference between two frames divided by the time between them', () => {
    const model = new LiveModel(liveFrame(3), liveFrame(1));
    assert.deepEqual(model.rates, {
      connections: 100,
      tunnels: 0,
      handshakes: 100,
      messages: 15_000,
      bytes: 4 * 1024 * 1024,
      requests: 40,
      errors: 20,
    });
  });

  it('are unknown after only one frame', () => {
    const { rates } = new LiveModel(liveFrame(), null);
    assert.deepEqual(new Set(Object.values(rates)), new Set([null]));
  });

  it('are unknown after a restart, which is reported', () => {
    for (const other of [{ pid: 1 }, { uptimeSeconds: 1 }]) {
      const model = new LiveModel(liveFrame(2, other), liveFrame(1));
      assert.equal(model.restarted, true);
      assert.equal(model.rates.messages, null);
    }
    assert.equal(new LiveModel(liveFrame(2), liveFrame(1)).restarted, false);
  });

  it('are unknown if the clock was set back', () => {
    const model = new LiveModel(liveFrame(2, { at: liveFrame(0).at }), liveFrame(1));
    assert.deepEqual([model.restarted, model.rates.messages], [false, null]);
  });

  it('count an error from 0 if the previous frame did not have it', () => {
    const model = new LiveModel(liveFrame(1), liveFrame(0, { errors: [] }));
    assert.equal(model.errorRate({ kind: 'handshake', reason: 'no_route', count: 480 }), 480);
  });

  it('are unknown for an endpoint that is new or whose counters were reset', () => {
    const frame = liveFrame(1);
    const [cluster] = frame.clusters;
    const healthy = cluster!.endpoints[1]!;
    assert.equal(new LiveModel(frame, liveFrame(0)).endpointRate(cluster!, healthy, 'answers'), 30);
    const absent = new LiveModel(frame, liveFrame(0, { clusters: [] }));
    assert.equal(absent.endpointRate(cluster!, healthy, 'answers'), null);
    assert.equal(absent.clusterRate(cluster!, 'retries'), null);
    const lower = new LiveModel(frame, liveFrame(0));
    assert.equal(lower.endpointRate(cluster!, { ...healthy, answers: 5 }, 'answers'), null);
  });

  it('include the mean response time between the frames', () => {
    const frame = liveFrame(2);
    const [cluster] = frame.clusters;
    const model = new LiveModel(frame, liveFrame(0));
    const means = cluster!.endpoints.map((endpoint) => model.meanAnswer(cluster!, endpoint));
    assert.deepEqual(
      means.map((mean) => mean?.toFixed(3)),
      [undefined, '0.020', '0.500'],
    );
  });
});
