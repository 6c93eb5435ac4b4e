import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster as ClusterConfig } from '../../../../src/config/types/cluster.ts';
import { writeClusterRecord, type ClusterRecord } from '../../../../src/protocol/cluster-record.ts';
import type { EndpointState } from '../../../../src/protocol/cluster-state.ts';
import { WorkerClusters } from '../../../../src/worker/clusters/worker-clusters.ts';
import {
  clusterConfig,
  clusterState,
  endpointConfigs,
  contextOf,
  workers,
} from '../../upstream/endpoints.ts';

const endpoints = endpointConfigs([1, 1]);
const context = contextOf(workers(1, endpoints));
const BAD_TLS = { serverName: null, ca: null, verify: true, cert: 'no PEM', key: 'no PEM' };

function record(changes: Partial<ClusterConfig> = {}, state: Partial<EndpointState> = {}): ClusterRecord {
  const config = clusterConfig({ endpoints, ...changes });
  const whole = clusterState(config);
  const changed = whole.endpoints.map((endpoint) => ({ ...endpoint, ...state }));
  return writeClusterRecord(config, { ...whole, endpoints: changed }, () => 0);
}

function clustersOf(...records: readonly ClusterRecord[]): WorkerClusters {
  return WorkerClusters.first(records, context);
}

const healthOf = (clusters: WorkerClusters): string[] =>
  Array.from(clusters.get('app')!.endpoints, ({ health }) => health);

describe('the clusters of a worker', () => {
  it('are created at their first use, with their current state', () => {
    const clusters = clustersOf(record());
    clusters.update(record({}, { health: 'down' }));
    assert.equal(clusters.get('other'), undefined);
    assert.deepEqual(healthOf(clusters), ['down', 'down']);
    assert.equal(clusters.get('app'), clusters.get('app'));
    clusters.update(record({}, { health: 'up' }));
    assert.deepEqual(healthOf(clusters), ['up', 'up']);
  });

  it('are drained if they were before their first use', () => {
    const clusters = clustersOf(record());
    clusters.admit('app', false);
    assert.equal(clusters.get('app')!.draining, true);
    clusters.admit('app', true);
    assert.equal(clusters.get('app')!.draining, false);
  });

  it('are the same objects in the next generation, with its settings from the commit on', () => {
    const clusters = clustersOf(record());
    const cluster = clusters.get('app')!;
    const next = clusters.next({ changed: [record({ retries: 5 })], removed: [] });
    assert.equal(cluster.config.retries, 0);
    next.commit();
    assert.equal(next.clusters.get('app'), cluster);
    assert.equal(cluster.config.retries, 5);
  });

  it("get the next generation's settings if a client needs them during its preparation", () => {
    const clusters = clustersOf(record());
    const next = clusters.next({ changed: [record({ retries: 5 })], removed: [] });
    const cluster = clusters.get('app')!;
    assert.equal(cluster.config.retries, 0);
    next.commit();
    assert.equal(cluster.config.retries, 5);
    assert.equal(next.clusters.get('app'), cluster);
  });

  it("get the next generation's settings if they are used later", () => {
    const clusters = clustersOf(record());
    const next = clusters.next({ changed: [record({ retries: 5 })], removed: [] });
    next.commit();
    assert.equal(next.clusters.get('app')!.config.retries, 5);
  });

  it('are retired when the next generation lacks them', () => {
    const clusters = clustersOf(record(), record({ name: 'unused' }));
    const cluster = clusters.get('app')!;
    const next = clusters.next({ changed: [], removed: ['app', 'unused'] });
    assert.equal(cluster.draining, false);
    next.commit();
    assert.equal(cluster.draining, true);
    assert.deepEqual([next.clusters.get('app'), next.clusters.get('unused')], [undefined, undefined]);
  });

  it('are refused without a change if their TLS settings are unusable', () => {
    assert.throws(() => clustersOf(record({ tls: BAD_TLS })));
    const clusters = clustersOf(record());
    assert.throws(() => clusters.next({ changed: [record({ tls: BAD_TLS })], removed: [] }));
    assert.throws(() => clusters.next({ changed: [record({ name: 'new', tls: BAD_TLS })], removed: [] }));
    assert.equal(clusters.get('app')!.tls, null);
  });

  it("report each generation's own hash header", () => {
    const hashed = record({ hashOn: { kind: 'header', name: 'x-user' } });
    const clusters = clustersOf(record());
    const next = clusters.next({ changed: [hashed], removed: [] });
    assert.deepEqual([clusters.hashHeader('app'), next.clusters.hashHeader('app')], [null, 'x-user']);
    assert.equal(clusters.hashHeader('other'), null);
  });
});
