import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClusterMonitor } from '../../../../src/primary/clusters/cluster-monitor.ts';
import { clusterFamilies } from '../../../../src/primary/clusters/cluster-metrics.ts';
import type { EndpointHealth } from '../../../../src/protocol/cluster-state.ts';

function monitorOf(name: string, healths: readonly EndpointHealth[]): ClusterMonitor {
  return {
    config: { name, healthCheck: null, endpoints: [] },
    records: healths.map((health, index) => ({ health, facts: { label: `e${index}` } })),
  } as unknown as ClusterMonitor;
}

describe('the metrics of clusters', () => {
  it('have the number of endpoints in each state, including 0', () => {
    const all = [monitorOf('app', ['up', 'down', 'up', 'draining']), monitorOf('empty', [])];
    const families = clusterFamilies({ all, evictions: () => 0 });
    const family = families.find(({ metric }) => metric.name === 'sluice_cluster_endpoints')!;
    assert.deepEqual(
      [...family.read()].map(({ labels, value }) => `${labels.cluster} ${labels.state} ${value}`),
      [
        ...['app up 2', 'app down 1', 'app ejected 0', 'app draining 1'],
        ...['empty up 0', 'empty down 0', 'empty ejected 0', 'empty draining 0'],
      ],
    );
  });
});
