import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Cluster as ClusterConfig } from '../../../src/config/types/cluster.ts';
import type { Config } from '../../../src/config/types/config.ts';
import type { Route } from '../../../src/config/types/route.ts';
import { blockChange, blocksOf } from '../../../src/protocol/stats-layout.ts';
import type { BlockName } from '../../../src/telemetry/page-layout.ts';
import { config, l7Listener } from '../primary/fixtures/config.ts';
import { clusterConfig, endpointConfigs } from '../upstream/endpoints.ts';

const clusters = ['app', 'b', 'c'].map((name) => clusterConfig({ name, endpoints: endpointConfigs([1, 1]) }));
const [first] = l7Listener.routes;
const routes = ['r', 's', 't'].map((name): Route => ({ ...first!, name }));

interface Some {
  readonly clusters: ClusterConfig[];
  readonly routes: Route[];
  readonly renamed: boolean;
}

const counted = (config: Config): Parameters<typeof blocksOf>[0] => ({ config, workers: ['l7-0'] });

/** Counts how many parts have each block. */
function countOf(names: readonly BlockName[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { shape, labels } of names) {
    const key = shape.keyOf(labels);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

describe('the blocks that differ between two configurations', () => {
  it('are empty for clusters and routes that are the same objects', () => {
    const whole: Config = { ...config, clusters, listeners: [{ ...l7Listener, routes }] };
    const { added, removed } = blockChange(counted(whole), counted({ ...whole, clusters: [...clusters] }));
    assert.deepEqual(countOf(added), countOf(removed));
    assert.ok(added.length < 10, `${added.length} blocks`);
  });

  it('turn the blocks of one configuration into those of the other', () => {
    const some = fc.record({
      clusters: fc.subarray(clusters),
      routes: fc.subarray(routes),
      renamed: fc.boolean(),
    });
    const configOf = (parts: Some): Config => ({
      ...config,
      clusters: parts.clusters,
      listeners: [{ ...l7Listener, name: parts.renamed ? 'other' : 'web', routes: parts.routes }],
    });
    fc.assert(
      fc.property(some, some, (one, two) => {
        const [before, after] = [counted(configOf(one)), counted(configOf(two))];
        const { added, removed } = blockChange(before, after);
        const counts = countOf([...blocksOf(before), ...added]);
        for (const [key, count] of countOf(removed)) {
          const rest = counts.get(key)! - count;
          if (rest === 0) counts.delete(key);
          else counts.set(key, rest);
        }
        const wanted = countOf(blocksOf(after));
        assert.deepEqual(new Map([...counts].sort()), new Map([...wanted].sort()));
      }),
    );
  });
});
