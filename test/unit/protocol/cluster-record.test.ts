import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readClusterRecord, writeClusterRecord } from '../../../src/protocol/cluster-record.ts';
import { clusterConfig, clusterState, endpointConfigs } from '../upstream/endpoints.ts';

const config = clusterConfig({ endpoints: endpointConfigs([1, 2]) });

describe("a cluster's record", () => {
  it('holds the settings and the state, with a slot for each endpoint', () => {
    const state = clusterState(config);
    const slots = new Map(state.endpoints.map(({ label }, index) => [label, 100 + index]));
    const record = writeClusterRecord(config, state, (label) => slots.get(label)!);
    const read = readClusterRecord(structuredClone(record));
    const { endpoints, ...settings } = config;
    assert.deepEqual(read.settings, settings);
    assert.deepEqual(
      read.state.endpoints,
      state.endpoints.map((endpoint, index) => ({ ...endpoint, slot: 100 + index })),
    );
    assert.equal(record.cursor, state.cursor);
  });

  it('keeps a leased slot', () => {
    const state = clusterState(config);
    const lent = { ...state, endpoints: state.endpoints.map((endpoint) => ({ ...endpoint, slot: 7 })) };
    const record = writeClusterRecord(config, lent, () => assert.fail('looked up'));
    assert.deepEqual(
      readClusterRecord(record).state.endpoints.map(({ slot }) => slot),
      [7, 7],
    );
  });

  it('subtracts the elapsed time from a slow start', () => {
    const state = clusterState(config);
    const warming = state.endpoints.map((endpoint, index) => ({ ...endpoint, warmLeftMs: index * 60_000 }));
    const record = writeClusterRecord(config, { ...state, endpoints: warming }, () => 0);
    const begun = performance.now();
    while (performance.now() - begun < 2);
    const [none, rest] = readClusterRecord(record).state.endpoints.map(({ warmLeftMs }) => warmLeftMs);
    assert.equal(none, 0);
    assert.ok(rest! < 59_999 && rest! > 0, `${rest} ms are left`);
  });

  it('names the header that the balancer hashes, and whether TLS is used', () => {
    const tls = { serverName: null, ca: null, verify: true, cert: null, key: null };
    const of = (changes: Parameters<typeof clusterConfig>[0]): object => {
      const { hashHeader, hasTls } = writeClusterRecord(
        clusterConfig(changes),
        clusterState(config),
        () => 0,
      );
      return { hashHeader, hasTls };
    };
    assert.deepEqual(of({}), { hashHeader: null, hasTls: false });
    assert.deepEqual(of({ hashOn: { kind: 'header', name: 'x-user' }, tls }), {
      hashHeader: 'x-user',
      hasTls: true,
    });
  });
});
