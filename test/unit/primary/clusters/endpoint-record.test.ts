import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { EndpointRecord } from '../../../../src/primary/clusters/endpoint-record.ts';
import { endpointConfigs, endpointState } from '../../upstream/endpoints.ts';
import { recordOwner } from '../fixtures/records.ts';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

describe('the health of an endpoint', () => {
  it('is its gravest fault, with its reason and its time', () => {
    const [config] = endpointConfigs([1]);
    const record = new EndpointRecord(endpointState(config!), recordOwner());
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
    record.setEjected(false, 'its ejection ended');
    assert.deepEqual(told(), ['draining', 'drained by an operator', 1_002_000]);
    record.setDraining(false, 'undrained by an operator');
    assert.deepEqual(told(), ['down', 'its probe answered 500', 1_003_000]);
    mock.timers.tick(1000);
    record.setDown(false, 'its probes pass');
    assert.deepEqual(told(), ['up', 'its probes pass', 1_004_000]);
    assert.equal(record.counts.ejections, 1);
  });
});

describe('the last probe of an endpoint', () => {
  it('is not changed by probes of a record that inherited it', () => {
    const [config] = endpointConfigs([1]);
    for (const probed of [true, false]) {
      const record = new EndpointRecord(endpointState(config!), recordOwner());
      const next = new EndpointRecord(endpointState(config!), recordOwner());
      record.noteProbe(1000, 5, null);
      next.inherit(record, { probed, ejects: true });
      assert.deepEqual(next.lastProbe, { at: 1000, ms: 5, failure: null });
      next.noteProbe(2000, 7, 'timed out');
      assert.deepEqual(record.lastProbe, { at: 1000, ms: 5, failure: null });
    }
  });
});

describe('the state of an endpoint for the workers', () => {
  const one = (slowStartMs = 0): EndpointRecord =>
    new EndpointRecord(endpointState(endpointConfigs([1])[0]!), recordOwner(slowStartMs));

  it('is the same object until facts or health change', () => {
    const record = one();
    const first = record.state();
    record.count('probes');
    record.setEjected(false, 'its ejection ended');
    assert.equal(record.state(), first);
    record.setDraining(true, 'drained by an operator');
    const drained = record.state();
    record.setDown(true, 'its probe timed out');
    assert.deepEqual([drained.health, record.state()], ['draining', drained]);
    record.facts = { ...record.facts, weight: 7 };
    assert.deepEqual(record.state(), { ...drained, weight: 7 });
    assert.deepEqual([first.health, first.weight], ['up', 1]);
  });

  it('changes during a slow start, and once more at its end', () => {
    const record = one(1000);
    record.startSlowStart();
    const warming = record.state();
    mock.timers.tick(400);
    assert.deepEqual([warming.warmLeftMs, record.state().warmLeftMs], [1000, 600]);
    mock.timers.tick(600);
    const warm = record.state();
    mock.timers.tick(600);
    assert.equal(warm.warmLeftMs, 0);
    assert.equal(record.state(), warm);
  });
});
