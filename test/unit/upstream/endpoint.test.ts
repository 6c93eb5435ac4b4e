import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONNECT_FAILURES } from '../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { endpointConfigs, workers } from './endpoints.ts';

describe('an endpoint', () => {
  const configs = endpointConfigs([1, 1]);

  it('sums its connections over all workers, which count on separate pages', () => {
    const { endpoints, pages } = workers(3, configs);
    const seen = endpoints.map((list) => list[1]!);
    for (const [worker, endpoint] of seen.entries()) {
      for (let count = 0; count <= worker; count++) endpoint.acquire();
    }
    for (const endpoint of seen) assert.equal(endpoint.active, 6);
    seen[2]!.release();
    assert.equal(seen[0]!.active, 5);
    assert.equal(endpoints[0]![0]!.active, 0);
    const labels = { cluster: 'app', endpoint: '192.0.2.1:2' };
    assert.deepEqual(
      pages.map((page) => page.values[page.slot(pageMetrics.endpointConnectionsActive, labels)]),
      [1, 2, 2],
    );
  });

  it('counts failures by reason', () => {
    const { endpoints, pages } = workers(1, configs);
    const endpoint = endpoints[0]![0]!;
    for (const [index, reason] of CONNECT_FAILURES.entries()) {
      for (let count = 0; count <= index; count++) endpoint.countFailure(reason);
    }
    const page = pages[0]!;
    for (const [index, reason] of CONNECT_FAILURES.entries()) {
      const slot = (label: string): number =>
        page.slot(pageMetrics.endpointConnectFailures, { cluster: 'app', endpoint: label, reason });
      assert.equal(page.values[slot('192.0.2.1:1')], index + 1, reason);
      assert.equal(page.values[slot('192.0.2.1:2')], 0, reason);
    }
  });

  it('is labelled by its address', () => {
    const { endpoints } = workers(1, [
      { address: { kind: 'tcp', host: '::1', port: 80 }, weight: 7, maxConnections: 0 },
      { address: { kind: 'unix', path: '/run/app' }, weight: 1, maxConnections: 0 },
    ]);
    assert.deepEqual(
      endpoints[0]!.map(({ label, weight }) => [label, weight]),
      [
        ['[::1]:80', 7],
        ['unix:/run/app', 1],
      ],
    );
  });
});
