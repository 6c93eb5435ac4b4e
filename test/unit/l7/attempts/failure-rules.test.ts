import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureAnswer } from '../../../../src/l7/attempts/failure-rules.ts';
import { CONNECT_FAILURES } from '../../../../src/telemetry/metrics/label-values.ts';

describe('the refusal of a client without an endpoint', () => {
  it("describes the last endpoint's failure", () => {
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

  it('distinguishes a reset of a request from a reset of a dial', () => {
    const reset = { lastFailure: 'reset', limit: null } as const;
    const failures = [false, true].map((wasSent) => failureAnswer(reset, wasSent).failure);
    assert.deepEqual(failures, ['dial_failed', 'reset']);
    assert.equal(failureAnswer({ ...reset, lastFailure: 'refused' }, true).failure, 'dial_failed');
  });

  it('names the failure rather than the limit that prevents further attempts', () => {
    const { status, failure } = failureAnswer({ lastFailure: 'refused', limit: 'retry_budget' });
    assert.deepEqual([status, failure], [502, 'dial_failed']);
  });

  it('names the overload of the cluster, or its lack of endpoints', () => {
    for (const limit of ['max_connections', 'endpoint_max_connections'] as const) {
      assert.equal(failureAnswer({ lastFailure: null, limit }).failure, 'overload');
    }
    assert.equal(failureAnswer({ lastFailure: null, limit: null }).failure, 'no_endpoint');
  });

  it("distinguishes sluice's own shortages from the cluster's", () => {
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

  it('has a text for each reason', () => {
    const words = Object.fromEntries(
      CONNECT_FAILURES.map((lastFailure) => {
        const { status, message } = failureAnswer({ lastFailure, limit: null });
        return [lastFailure, `${status} ${message}`];
      }),
    );
    const unreachable = '502 the endpoint cannot be reached';
    assert.deepEqual(words, {
      refused: unreachable,
      timeout: '504 the endpoint did not accept the connection in time',
      reset: '502 the endpoint closed without an answer',
      unreachable,
      tls: unreachable,
      handshake: '502 the endpoint sent an invalid answer',
      own_shortage: '503 the proxy is out of descriptors or memory',
      own_ports: '503 the proxy is out of local ports',
      other: unreachable,
    });
  });
});
