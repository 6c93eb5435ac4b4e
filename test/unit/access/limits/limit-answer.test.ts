import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusalOf } from '../../../../src/access/limits/limit-answer.ts';
import type { LimitSettings } from '../../../../src/config/types/limits.ts';

const HOURLY: LimitSettings = {
  name: 'hourly',
  key: { kind: 'address' },
  connections: 5,
  handshakes: { perSecond: 1 / 3600, burst: 2 },
  requests: null,
  messages: null,
  bytes: null,
  over: 'close',
  isShared: false,
  maxKeys: 64,
};

describe('the response to a client over a limit', () => {
  it('says when to retry, and what the limit is', () => {
    const refusal = refusalOf(HOURLY, { kind: 'handshakes', seconds: 1799.2, isOverflow: false });
    assert.deepEqual([refusal.status, refusal.detail], [429, 'too many handshakes']);
    assert.deepEqual(refusal.headers, [
      ['retry-after', '1800'],
      ['ratelimit-policy', '"hourly";q=2;w=7200'],
      ['ratelimit', '"hourly";r=0;t=1800'],
    ]);
  });

  it('says 5 seconds if the time is unknown', () => {
    const refusal = refusalOf(HOURLY, { kind: 'connections', seconds: null, isOverflow: false });
    assert.deepEqual(refusal.headers[0], ['retry-after', '5']);
  });

  it('answers 503 with an early retry if the count is shared', () => {
    const refusal = refusalOf(HOURLY, { kind: 'handshakes', seconds: 3600, isOverflow: true });
    assert.equal(refusal.status, 503);
    assert.deepEqual(refusal.headers[0], ['retry-after', '60']);
  });
});
