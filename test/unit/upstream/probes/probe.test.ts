import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { HealthCheck } from '../../../../src/config/types/cluster.ts';
import type { dial } from '../../../../src/upstream/dialling/dial.ts';
import { probe, type ProbeResult } from '../../../../src/upstream/probes/probe.ts';

const CHECK: HealthCheck = {
  type: 'tcp',
  path: '/',
  host: null,
  status: { min: 200, max: 399 },
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 1,
  fall: 1,
};
const ADDRESS = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
const TARGET = { label: '127.0.0.1:1', server: ADDRESS, addresses: [ADDRESS], tls: null, preface: null };

/** Starts a probe on a fake socket, whose events the test emits. */
function begin(): { socket: EventEmitter; results: ProbeResult[] } {
  const socket = Object.assign(new EventEmitter(), { destroy: () => undefined });
  const results: ProbeResult[] = [];
  probe(TARGET, CHECK, (result) => results.push(result), (() => socket) as unknown as typeof dial);
  return { socket, results };
}

const failure = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

describe('a probe', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(performance, 'now', () => now);
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });

  it('passes if the endpoint accepts the connection, and fails if not', () => {
    const well = begin();
    well.socket.emit('connect');
    assert.deepEqual(well.results, [{ verdict: 'passed' }]);
    const ill = begin();
    ill.socket.emit('error', failure('ECONNREFUSED'));
    ill.socket.emit('close');
    assert.deepEqual(ill.results, [{ verdict: 'failed', reason: 'connect ECONNREFUSED' }]);
  });

  it('dials with the preface of its target', () => {
    const preface = Buffer.from('PROXY UNKNOWN\r\n');
    const seen: unknown[] = [];
    const open = (_target: unknown, options: Parameters<typeof dial>[1]): EventEmitter => {
      seen.push(options.preface);
      return Object.assign(new EventEmitter(), { destroy: () => undefined });
    };
    const cancel = probe({ ...TARGET, preface }, CHECK, () => undefined, open as unknown as typeof dial);
    cancel();
    assert.deepEqual(seen, [preface]);
  });

  it('reports the error of the last failed address', () => {
    const { socket, results } = begin();
    const errors = ['ETIMEDOUT', 'ECONNREFUSED'].map(failure);
    socket.emit('error', Object.assign(new AggregateError(errors), { code: 'ETIMEDOUT' }));
    assert.deepEqual(results, [{ verdict: 'failed', reason: 'connect ECONNREFUSED' }]);
  });

  for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']) {
    it(`is inconclusive after ${code}`, () => {
      const { socket, results } = begin();
      socket.emit('error', failure(code));
      socket.emit('close');
      assert.deepEqual(results, [{ verdict: 'unmade', reason: `connect ${code}` }]);
    });
  }

  it('fails at its timeout, but is inconclusive if the proxy was delayed', () => {
    const punctual = begin();
    now = CHECK.timeoutMs;
    mock.timers.tick(CHECK.timeoutMs);
    assert.deepEqual(punctual.results, [{ verdict: 'failed', reason: 'timed out' }]);
    const late = begin();
    now += CHECK.timeoutMs + 5000;
    mock.timers.tick(CHECK.timeoutMs);
    assert.deepEqual(late.results, [{ verdict: 'unmade', reason: 'the proxy was delayed' }]);
  });
});
