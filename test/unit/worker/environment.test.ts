import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster } from '../../../src/config/types/cluster.ts';
import { ClusterRecords } from '../../../src/primary/workers/cluster-records.ts';
import { configChange } from '../../../src/protocol/config-change.ts';
import { blockChange, layoutOf } from '../../../src/protocol/stats-layout.ts';
import type { GenerationChange } from '../../../src/protocol/to-worker.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../src/telemetry/metrics/page-shapes.ts';
import { SeriesDirectory } from '../../../src/telemetry/series-directory.ts';
import { createEnvironment, nextEnvironment, type Environment } from '../../../src/worker/environment.ts';
import { createWorkerLogger } from '../../../src/telemetry/worker-logger.ts';
import { config } from '../primary/fixtures/config.ts';
import { clusterConfig, clusterState } from '../upstream/endpoints.ts';
import { workerStart } from './fixtures/worker-start.ts';

const TLS = { serverName: null, ca: null, verify: true, cert: null, key: null };
const BAD_TLS = { ...TLS, cert: 'no PEM', key: 'no PEM' };

function environmentOf(): Environment {
  return createEnvironment(
    workerStart('l7', config),
    createWorkerLogger(config.log, 'l7-0', () => undefined),
    () => undefined,
    () => assert.fail('no service'),
  );
}

/** A generation with one cluster more. */
function withCluster(cluster: Cluster): GenerationChange {
  const before = config;
  const after = { ...before, clusters: [...before.clusters, cluster] };
  const directory = new SeriesDirectory(layoutOf(before, ['l7-0']).blocks);
  const workers = ['l7-0'];
  const plan = directory.plan(blockChange({ config: before, workers }, { config: after, workers }), 2)!;
  plan.commit();
  const arriving = [...plan.arriving].filter(([, { shape }]) => shape !== pageShapes.endpoint);
  return {
    generation: 2,
    lineWindows: new Map(),
    ticketKeys: new Map(),
    limitTables: new Map(),
    config: configChange(before, after),
    series: { arriving: new Map(arriving.map(([key, { slot }]) => [key, slot])), leaving: [] },
    clusters: { changed: [new ClusterRecords(directory).of(cluster, clusterState(cluster))], removed: [] },
  };
}

describe('the environment of the next generation', () => {
  it('creates a new cluster with TLS at once', () => {
    const next = nextEnvironment(environmentOf(), withCluster(clusterConfig({ name: 'secure', tls: TLS })));
    next.commit();
    assert.notEqual(next.environment.clusters.get('secure')?.tls, null);
  });

  it('leaves no slots behind if a cluster cannot be set up', () => {
    const current = environmentOf();
    const bad = withCluster(clusterConfig({ name: 'secure', tls: BAD_TLS }));
    assert.throws(() => nextEnvironment(current, bad));
    assert.throws(() => current.slots.slot(pageMetrics.clusterRetries, { cluster: 'secure' }), /no series/);
  });
});
