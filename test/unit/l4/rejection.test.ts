import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusalOf, rejectionOf } from '../../../src/l4/rejection.ts';
import { CONNECT_FAILURES } from '../../../src/telemetry/metrics/label-values.ts';

describe('a connection without a tunnel', () => {
  it('counts as the overload or the lack of endpoints of its cluster', () => {
    assert.equal(rejectionOf({ lastFailure: null, limit: null }), 'no_endpoint');
    assert.equal(rejectionOf({ lastFailure: null, limit: 'max_connections' }), 'overload');
    assert.equal(rejectionOf({ lastFailure: null, limit: 'endpoint_max_connections' }), 'overload');
  });

  it("counts as a failed dial, or as the proxy's own shortage", () => {
    for (const lastFailure of CONNECT_FAILURES) {
      const expected = lastFailure.startsWith('own_') ? 'own_shortage' : 'dial_failed';
      assert.equal(rejectionOf({ lastFailure, limit: null }), expected);
      assert.equal(rejectionOf({ lastFailure, limit: 'retry_budget' }), expected);
      assert.equal(rejectionOf({ lastFailure, limit: 'descriptors' }), 'descriptors');
    }
  });
});

describe('an accepted connection', () => {
  const refusal = (maxConnections: number, active: number, isAdmitted = true): string | null => {
    const asked: unknown[] = [];
    const admits = (...question: unknown[]): boolean => {
      asked.push(...question);
      return isAdmitted;
    };
    const reason = refusalOf({ name: 'l', maxConnections }, { active }, { admits }, 7);
    assert.deepEqual(asked, ['l', 7]);
    return reason;
  };

  it('is served below the limit of its listener, and without one', () => {
    assert.equal(refusal(2, 1), null);
    assert.equal(refusal(0, 1_000_000), null);
  });

  it('is refused at the limit, or if no descriptor is left', () => {
    assert.equal(refusal(2, 2), 'limit');
    assert.equal(refusal(0, 0, false), 'descriptors');
    assert.equal(refusal(2, 2, false), 'descriptors');
  });
});
