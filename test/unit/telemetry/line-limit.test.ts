import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineLimit } from '../../../src/telemetry/line-limit.ts';

describe('a limit of log lines', () => {
  it('allows a burst, then one line per period, and counts suppressed lines', () => {
    let now = 0;
    const limit = new LineLimit(() => now, { burst: 2, everyMs: 1000 });
    assert.deepEqual([limit.take(), limit.take(), limit.take(), limit.take()], [{}, {}, null, null]);
    now = 999;
    assert.equal(limit.take(), null);
    now = 1000;
    assert.deepEqual([limit.take(), limit.take()], [{ suppressed: 3 }, null]);
    now = 60_000;
    assert.deepEqual([limit.take(), limit.take(), limit.take()], [{ suppressed: 1 }, {}, null]);
  });

  it('allows one line in 10 seconds by default', () => {
    let now = 0;
    const limit = new LineLimit(() => now);
    assert.deepEqual([limit.take(), limit.take()], [{}, null]);
    now = 9999;
    assert.equal(limit.take(), null);
    now = 10_000;
    assert.deepEqual([limit.take(), limit.take()], [{ suppressed: 2 }, null]);
  });
});
