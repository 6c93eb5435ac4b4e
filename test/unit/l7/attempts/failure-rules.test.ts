import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureAnswer } from '../../../../src/l7/attempts/failure-rules.ts';
import { CONNECT_FAILURES } from '../../../../src/telemetry/metrics/label-values.ts';

describe('the refusal of a client that no endpoint serves', () => {
  it('says what the last endpoint did', () => {
    const told = (['timeout', 'handshake', 'reset', 'refused', 'tls'] as const).map((lastFailure) => {
      const { status, failure } = failureAnswer({ lastFailure, limit: null });
      return [status, failure];
    });
    assert.deepEqual(told, [
      [504, 'timeout'],
      [502, 'bad_response'],
      [502, 'dial_failed'],
      [502, 'dial_failed'],
      [502, 'dial_failed'],
    ]);
  });

  it('tells a reset of a request from one of a dial', () => {
    const reset = { lastFailure: 'reset', limit: null } as const;
    const failures = [false, true].map((wasSent) => failureAnswer(reset, wasSent).failure);
    assert.deepEqual(failures, ['dial_failed', 'reset']);
    assert.equal(failureAnswer({ ...reset, lastFailure: 'refused' }, true).failure, 'dial_failed');
  });

  it('says the failure rather than the limit that keeps others from being tried', () => {
    const { status, failure } = failureAnswer({ lastFailure: 'refused', limit: 'retry_budget' });
    assert.deepEqual([status, failure], [502, 'dial_failed']);
  });

  it('is the overload of the cluster, or that it has no endpoint', () => {
    for (const limit of ['max_connections', 'endpoint_max_connections'] as const) {
      assert.equal(failureAnswer({ lastFailure: null, limit }).failure, 'overload');
    }
    assert.equal(failureAnswer({ lastFailure: null, limit: null }).failure, 'no_endpoint');
  });

  it("tells the proxy's own shortages from those of the cluster", () => {
    for (const attempts of [
      { lastFailure: null, limit: 'descriptors' },
      { lastFailure: 'refused', limit: 'descriptors' },
      { lastFailure: 'own_shortage', limit: null },
      { lastFailure: 'own_ports', limit: null },
    ] as const) {
      const { status, failure } = failureAnswer(attempts);
      assert.deepEqual([status, failure], [503, 'own_shortage']);
    }
  });

  it('says in words what has failed, for each reason', () => {
    const words = Object.fromEntries(
      CONNECT_FAILURES.map((lastFailure) => {
        const { status, message } = failureAnswer({ lastFailure, limit: null });
        return [lastFailure, `${status} ${message}`];
      }),
    );
    const unreachable = '502 the endpoint cannot be reached';
    assert.deepEqual(words, {
      refused: unreachable,
      timeout: '504 the endpoint did not accept in time',
      reset: '502 the endpoint closed without an answer',
      unreachable,
      tls: unreachable,
      handshake: '502 the endpoint gave no valid answer',
      own_shortage: '503 the proxy has no descriptor or memory left',
      own_ports: '503 the proxy has no local port left',
      other: unreachable,
    });
  });
});
