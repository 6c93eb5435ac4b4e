import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Endpoint as EndpointConfig } from '../../../../src/config/types/cluster.ts';
import { ClusterEndpoints } from '../../../../src/primary/clusters/cluster-endpoints.ts';
import { EndpointRecord } from '../../../../src/primary/clusters/endpoint-record.ts';
import type { FoundEndpoint } from '../../../../src/upstream/name-lookup.ts';
import { recordOwner } from '../fixtures/records.ts';

const name = (host: string, weight = 1): EndpointConfig => ({
  address: { kind: 'tcp', host, port: 80 },
  weight,
  maxConnections: 7,
});

function found(host: string, changes: Partial<FoundEndpoint> = {}): FoundEndpoint {
  return { addresses: [{ kind: 'tcp', host, port: 80 }], weight: 1, priority: 0, ...changes };
}

/** Endpoints with an owner that records its calls, and has series for some endpoints of names. */
function rig(
  entries: readonly EndpointConfig[],
  room = Infinity,
): { endpoints: ClusterEndpoints; calls: string[]; labels: () => string[]; lent: Set<string> } {
  const calls: string[] = [];
  const lent = new Set<string>();
  const endpoints: ClusterEndpoints = new ClusterEndpoints(entries, {
    create: (facts) => new EndpointRecord(facts, recordOwner()),
    added: (record) => {
      assert.equal(endpoints.find(record.facts.label), record);
      calls.push(`+ ${record.facts.label}`);
    },
    removed: ({ facts: { label } }) => {
      assert.equal(endpoints.find(label), undefined);
      calls.push(`- ${label}`);
    },
    leaseSeries: (label) => {
      if (lent.size >= room) return null;
      lent.add(label);
      return lent.size;
    },
    returnSeries: (label) => assert.ok(lent.delete(label), label),
  });
  return { endpoints, calls, labels: () => endpoints.all.map(({ facts }) => facts.label), lent };
}

describe('the endpoints of a cluster', () => {
  const [one, two] = [name('one.test'), name('two.test')];

  it('are in the order of the configuration, in any order of lookups', () => {
    const { endpoints, labels } = rig([one, two]);
    endpoints.reconcile(two, [found('192.0.2.2')], 0);
    endpoints.reconcile(one, [found('192.0.2.1'), found('192.0.2.3')], 0);
    assert.deepEqual(labels(), ['192.0.2.1:80', '192.0.2.3:80', '192.0.2.2:80']);
    assert.deepEqual(
      endpoints.of(one).map(({ facts }) => facts.label),
      ['192.0.2.1:80', '192.0.2.3:80'],
    );
  });

  it('stay with their records if they are found again', () => {
    const { endpoints, calls, lent } = rig([one]);
    const first = endpoints.reconcile(one, [found('192.0.2.1'), found('192.0.2.2')], 0);
    assert.deepEqual(first.added, ['192.0.2.1:80', '192.0.2.2:80']);
    const kept = endpoints.find('192.0.2.2:80');
    const second = endpoints.reconcile(one, [found('192.0.2.2'), found('192.0.2.3')], 0);
    assert.deepEqual([second.added, second.removed], [['192.0.2.3:80'], ['192.0.2.1:80']]);
    assert.equal(endpoints.find('192.0.2.2:80'), kept);
    assert.deepEqual(calls, ['+ 192.0.2.1:80', '+ 192.0.2.2:80', '- 192.0.2.1:80', '+ 192.0.2.3:80']);
    assert.deepEqual([...lent], ['192.0.2.2:80', '192.0.2.3:80']);
    const same = endpoints.reconcile(one, [found('192.0.2.2'), found('192.0.2.3')], 0);
    assert.equal(same.isChanged, false);
  });

  it('belong to the first name that has them, and appear once', () => {
    const { endpoints, labels } = rig([one, two]);
    endpoints.reconcile(two, [found('192.0.2.1'), found('192.0.2.1')], 0);
    assert.equal(endpoints.reconcile(one, [found('192.0.2.1')], 0).isChanged, false);
    assert.deepEqual([labels(), endpoints.of(one)], [['192.0.2.1:80'], []]);
  });

  it('share the weight of their name in each priority', () => {
    const heavy = name('heavy.test', 6);
    const { endpoints } = rig([heavy]);
    const weights = (): number[] => endpoints.all.map(({ facts }) => facts.weight);
    const targets = [
      found('192.0.2.1', { weight: 2 }),
      found('192.0.2.2'),
      found('192.0.2.3', { priority: 1 }),
    ];
    endpoints.reconcile(heavy, targets, 0);
    assert.deepEqual(weights(), [4, 2, 6]);
    const { isChanged, added, removed } = endpoints.reconcile(
      heavy,
      targets.map((target) => ({ ...target, weight: 1 })),
      0,
    );
    assert.deepEqual([isChanged, added, removed, weights()], [true, [], [], [3, 3, 6]]);
  });

  it('are unused if the stats pages are full, and counted with those that the lookup skipped', () => {
    const { endpoints, labels } = rig([one, two], 2);
    const many = [found('192.0.2.1'), found('192.0.2.2'), found('192.0.2.3')];
    assert.deepEqual(endpoints.reconcile(one, many, 5).leftOut, { before: 0, after: 6 });
    assert.deepEqual(labels(), ['192.0.2.1:80', '192.0.2.2:80']);
    endpoints.reconcile(two, [found('192.0.2.9')], 0);
    assert.equal(endpoints.leftOut, 7);
    assert.deepEqual(endpoints.reconcile(one, many.slice(1), 0).leftOut, { before: 6, after: 0 });
    assert.deepEqual(labels(), ['192.0.2.2:80', '192.0.2.3:80']);
  });

  it('need no series if the configuration has their address', () => {
    const listed: EndpointConfig = { ...one, address: { kind: 'tcp', host: '192.0.2.1', port: 80 } };
    const { endpoints, lent } = rig([listed], 0);
    endpoints.list(listed);
    const { slot, maxConnections } = endpoints.all[0]!.facts;
    assert.deepEqual([slot, maxConnections, lent.size], [null, 7, 0]);
  });

  it('return their series at the end', () => {
    const { endpoints, lent } = rig([one]);
    endpoints.reconcile(one, [found('192.0.2.1'), found('192.0.2.2')], 0);
    endpoints.release();
    assert.equal(lent.size, 0);
  });
});
