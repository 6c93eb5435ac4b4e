import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster as ClusterConfig } from '../../../../src/config/types/cluster.ts';
import { writeClusterRecord, type ClusterRecord } from '../../../../src/protocol/cluster-record.ts';
import type { EndpointState } from '../../../../src/protocol/cluster-state.ts';
import { ClusterBook } from '../../../../src/worker/clusters/cluster-book.ts';
import { clusterConfig, clusterState, endpointConfigs, homeOf, workers } from '../../upstream/endpoints.ts';

const endpoints = endpointConfigs([1, 1]);
const home = homeOf(workers(1, endpoints));
const BAD_TLS = { serverName: null, ca: null, verify: true, cert: 'no PEM', key: 'no PEM' };

function record(changes: Partial<ClusterConfig> = {}, state: Partial<EndpointState> = {}): ClusterRecord {
  const config = clusterConfig({ endpoints, ...changes });
  const whole = clusterState(config);
  const changed = whole.endpoints.map((endpoint) => ({ ...endpoint, ...state }));
  return writeClusterRecord(config, { ...whole, endpoints: changed }, () => 0);
}

function bookOf(...records: readonly ClusterRecord[]): ClusterBook {
  return ClusterBook.first(records, home);
}

const healthOf = (book: ClusterBook): string[] =>
  Array.from(book.get('app')!.endpoints, ({ health }) => health);

describe('the clusters of a worker', () => {
  it('are created at their first use, with their current state', () => {
    const book = bookOf(record());
    book.update(record({}, { health: 'down' }));
    assert.equal(book.get('other'), undefined);
    assert.deepEqual(healthOf(book), ['down', 'down']);
    assert.equal(book.get('app'), book.get('app'));
    book.update(record({}, { health: 'up' }));
    assert.deepEqual(healthOf(book), ['up', 'up']);
  });

  it('are drained if they were before their first use', () => {
    const book = bookOf(record());
    book.admit('app', false);
    assert.equal(book.get('app')!.draining, true);
    book.admit('app', true);
    assert.equal(book.get('app')!.draining, false);
  });

  it('are the same objects in the next generation, with its settings from the commit on', () => {
    const book = bookOf(record());
    const cluster = book.get('app')!;
    const next = book.next({ changed: [record({ retries: 5 })], removed: [] });
    assert.equal(cluster.config.retries, 0);
    next.commit();
    assert.equal(next.book.get('app'), cluster);
    assert.equal(cluster.config.retries, 5);
  });

  it("get the next generation's settings if a client needs them during its preparation", () => {
    const book = bookOf(record());
    const next = book.next({ changed: [record({ retries: 5 })], removed: [] });
    const cluster = book.get('app')!;
    assert.equal(cluster.config.retries, 0);
    next.commit();
    assert.equal(cluster.config.retries, 5);
    assert.equal(next.book.get('app'), cluster);
  });

  it("get the next generation's settings if they are used later", () => {
    const book = bookOf(record());
    const next = book.next({ changed: [record({ retries: 5 })], removed: [] });
    next.commit();
    assert.equal(next.book.get('app')!.config.retries, 5);
  });

  it('are retired when the next generation lacks them', () => {
    const book = bookOf(record(), record({ name: 'unused' }));
    const cluster = book.get('app')!;
    const next = book.next({ changed: [], removed: ['app', 'unused'] });
    assert.equal(cluster.draining, false);
    next.commit();
    assert.equal(cluster.draining, true);
    assert.deepEqual([next.book.get('app'), next.book.get('unused')], [undefined, undefined]);
  });

  it('are refused without a change if their TLS settings are unusable', () => {
    assert.throws(() => bookOf(record({ tls: BAD_TLS })));
    const book = bookOf(record());
    assert.throws(() => book.next({ changed: [record({ tls: BAD_TLS })], removed: [] }));
    assert.throws(() => book.next({ changed: [record({ name: 'new', tls: BAD_TLS })], removed: [] }));
    assert.equal(book.get('app')!.tls, null);
  });

  it("report each generation's own hash header", () => {
    const hashed = record({ hashOn: { kind: 'header', name: 'x-user' } });
    const book = bookOf(record());
    const next = book.next({ changed: [hashed], removed: [] });
    assert.deepEqual([book.hashHeader('app'), next.book.hashHeader('app')], [null, 'x-user']);
    assert.equal(book.hashHeader('other'), null);
  });
});
