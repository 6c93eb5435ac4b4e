import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countSeries } from '../../../src/protocol/series-count.ts';
import { load } from '../config/load.ts';

function count(clusters: readonly string[], routes = ''): ReturnType<typeof countSeries> {
  const listener = `{ name: web, mode: l7, address: ':0', routes: [${routes}{ name: spare, match: { path: /spare }, respond: {} }] }`;
  const list = clusters.map((endpoints, index) => `{ name: c${index}, endpoints: [${endpoints}] }`);
  const clustersKey = list.length === 0 ? '' : `clusters: [${list.join(', ')}]\n`;
  return countSeries(load(`listeners: [${listener}]\n${clustersKey}`).config);
}

describe('the number of series of a configuration', () => {
  const none = count([]);

  it('grows by 11 with each endpoint, addresses and names alike', () => {
    assert.equal(none.endpoint, 0);
    assert.equal(count(["{ address: '192.0.2.1:1' }"]).endpoint, 11);
    assert.equal(
      count(["{ address: '192.0.2.1:1' }, { address: '192.0.2.2:1' }", "{ address: 'app.example:1' }"])
        .endpoint,
      33,
    );
  });

  it('grows with clusters and routes, histograms included', () => {
    const endpoint = "{ address: '192.0.2.1:1' }";
    const unused = count([endpoint]);
    assert.ok(unused.cluster > 20 && unused.cluster < 60, `${unused.cluster}`);
    assert.equal(count([endpoint, endpoint]).cluster, 2 * unused.cluster);
    const one = count([endpoint], '{ name: a, match: { path: /a }, cluster: c0 }, ');
    const two = count(
      [endpoint],
      '{ name: a, match: { path: /a }, cluster: c0 }, { name: b, match: { path: /b }, cluster: c0 }, ',
    );
    // Its requests by class of status, those in flight, 16 buckets and 3 more, and its sessions.
    assert.equal(two.route - one.route, 6 + 1 + 16 + 3 + 2);
    assert.equal(two.cluster, one.cluster);
  });

  it('has few other series', () => {
    assert.ok(none.other > 10 && none.other < 200, `${none.other}`);
  });
});
