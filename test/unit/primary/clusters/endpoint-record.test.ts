import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { EndpointRecord } from '../../../../src/primary/clusters/endpoint-record.ts';
import { endpointConfigs, endpointState } from '../../upstream/endpoints.ts';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

describe('the health of an endpoint', () => {
  it('is the gravest of what holds of it, with the reason of that, and since when', () => {
    const [config] = endpointConfigs([1]);
    const record = new EndpointRecord(endpointState(config!), 0, { onChange: () => undefined });
    const told = (): unknown[] => [record.health, record.reason, record.since];
    record.setDown(true, 'its probe timed out');
    assert.deepEqual(told(), ['down', 'its probe timed out', 1_000_000]);
    mock.timers.tick(1000);
    record.setEjected(true, '5 failures in a row');
    record.setDown(true, 'its probe answered 500');
    assert.deepEqual(told(), ['ejected', '5 failures in a row', 1_001_000]);
    mock.timers.tick(1000);
    record.setDraining(true, 'drained by an operator');
    mock.timers.tick(1000);
    record.setEjected(false, 'its ejection is over');
    assert.deepEqual(told(), ['draining', 'drained by an operator', 1_002_000]);
    record.setDraining(false, 'undrained by an operator');
    assert.deepEqual(told(), ['down', 'its probe answered 500', 1_003_000]);
    mock.timers.tick(1000);
    record.setDown(false, 'its probes are good');
    assert.deepEqual(told(), ['up', 'its probes are good', 1_004_000]);
    assert.equal(record.counts.ejections, 1);
  });
});
