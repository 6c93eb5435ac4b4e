import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rejectionOf } from '../../../src/l4/rejection.ts';
import { CONNECT_FAILURES } from '../../../src/telemetry/metrics/label-values.ts';

describe('a connection without a tunnel', () => {
  it("counts as its cluster's overload or lack of endpoints", () => {
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
