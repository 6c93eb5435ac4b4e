import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Logger } from '../../../../src/telemetry/logger.ts';
import { CONNECT_FAILURES } from '../../../../src/telemetry/metrics/label-values.ts';
import { Attempts, type AttemptSource } from '../../../../src/upstream/attempts/attempts.ts';
import { failAttempt } from '../../../../src/upstream/attempts/failed-attempt.ts';
import { FailureLog } from '../../../../src/upstream/attempts/failure-log.ts';
import { attemptsEndOf } from '../../../../src/upstream/attempts/failure-table.ts';
import { addressContext } from '../../../../src/upstream/balancers/balancer.ts';
import type { ConnectFailure, Endpoint } from '../../../../src/upstream/endpoint.ts';

/** Makes the attempts of one client at an endpoint that records each call. */
function rig(): {
  log: string[];
  attempts: Attempts;
  fail: (reason: ConnectFailure, detail: string | null, requestId?: string) => void;
} {
  const log: string[] = [];
  const endpoint = {
    label: 'e',
    full: false,
    acquire: () => log.push('acquired'),
    release: () => log.push('released'),
    countFailure: (reason: string) => log.push(`counted ${reason}`),
  } as unknown as Endpoint;
  const source: AttemptSource = {
    endpoints: [endpoint],
    pick: () => endpoint,
    full: false,
    makeRoom: () => false,
    mayDial: () => true,
    takeRetry: () => log.push('budget') > 0,
    countLimit: () => undefined,
    failed: (_endpoint, kind, client) => log.push(`blamed ${kind} by ${client}`),
    cookieFor: () => null,
  };
  const attempts = new Attempts(source, addressContext('192.0.2.9'), 1);
  const write =
    (level: string) =>
    (fields: object, message: string): void =>
      void log.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const logger = { warn: write('warn'), error: write('error') } as unknown as Logger;
  const cluster = { name: 'c', failureLog: new FailureLog(() => 0) };
  return {
    log,
    attempts,
    fail: (reason, detail, requestId) =>
      failAttempt(attempts, cluster, logger, {
        endpoint,
        reason,
        detail,
        outlier: 'connect',
        ...(requestId === undefined ? {} : { requestId }),
      }),
  };
}

const OWN: readonly ConnectFailure[] = ['own_shortage', 'own_ports'];

describe('a failed attempt', () => {
  for (const reason of CONNECT_FAILURES) {
    if (OWN.includes(reason)) continue;
    it(`warns, counts against the endpoint, and is retried within the budget: ${reason}`, () => {
      const { log, attempts, fail } = rig();
      fail(reason, 'what happened', 'r');
      attempts.next();
      assert.deepEqual(log, [
        `warn endpoint failed {"cluster":"c","endpoint":"e","requestId":"r","reason":"${reason}","detail":"what happened"}`,
        'released',
        `counted ${reason}`,
        'blamed connect by 192.0.2.9',
        'budget',
        'acquired',
      ]);
    });
  }

  for (const reason of OWN) {
    it(`is an error that blames no endpoint if the proxy lacks a resource: ${reason}`, () => {
      const { log, fail } = rig();
      fail(reason, 'what happened');
      assert.deepEqual(log, [
        `error endpoint not dialled: proxy out of resources {"cluster":"c","endpoint":"e","reason":"${reason}","detail":"what happened"}`,
        'released',
        `counted ${reason}`,
      ]);
    });
  }

  it('is retried outside the budget if ports run out, and not at all if every endpoint would fail', () => {
    const ports = rig();
    ports.fail('own_ports', null);
    assert.ok(ports.attempts.next() !== null);
    assert.deepEqual(ports.log.slice(2), ['acquired']);
    const shortage = rig();
    shortage.fail('own_shortage', null);
    assert.equal(shortage.attempts.next(), null);
  });

  it('logs no line without a detail', () => {
    const { log, fail } = rig();
    fail('timeout', null);
    assert.deepEqual(log, ['released', 'counted timeout', 'blamed connect by 192.0.2.9']);
  });
});

describe('the outcome of attempts', () => {
  it('is the last failure rather than the limit that prevents more attempts', () => {
    for (const lastFailure of CONNECT_FAILURES) {
      assert.equal(attemptsEndOf({ lastFailure, limit: null }), lastFailure);
      assert.equal(attemptsEndOf({ lastFailure, limit: 'retry_budget' }), lastFailure);
    }
  });

  it('is a shortage of descriptors, whatever failed before', () => {
    for (const lastFailure of [null, 'refused'] as const) {
      assert.equal(attemptsEndOf({ lastFailure, limit: 'descriptors' }), 'descriptors');
    }
  });

  it('is overload at a connection limit, or otherwise a missing endpoint', () => {
    assert.equal(attemptsEndOf({ lastFailure: null, limit: 'max_connections' }), 'overload');
    assert.equal(attemptsEndOf({ lastFailure: null, limit: 'endpoint_max_connections' }), 'overload');
    assert.equal(attemptsEndOf({ lastFailure: null, limit: null }), 'no_endpoint');
  });
});
