import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noteExemplars } from '../../../../src/primary/tracing/span-exemplars.ts';
import type { SpanRecord } from '../../../../src/protocol/spans.ts';
import { spanRecord } from './spans.ts';

const PLACE = { 'sluice.listener': 'web', 'sluice.route': 'app', 'sluice.cluster': 'app' };

function noted(attributes: SpanRecord['attributes']): readonly unknown[] {
  const found: unknown[] = [];
  noteExemplars(
    { record: ({ name }, labels, value, traceId) => void found.push([name, labels, value, traceId.length]) },
    spanRecord(1, { startedAt: 1000, endedAt: 3500, attributes: { ...PLACE, ...attributes } }),
  );
  return found;
}

describe('exemplars of spans', () => {
  it('are the duration of a request', () => {
    assert.deepEqual(noted({ 'http.response.status_code': 200, 'http.response.body.size': 5 }), [
      ['sluice_http_request_duration_seconds', { listener: 'web', route: 'app' }, 2.5, 32],
    ]);
  });

  it('are the durations of a handshake and its session', () => {
    const session = { 'sluice.websocket.handshake_seconds': 0.5, 'sluice.websocket.seconds': 2 };
    const labels = { listener: 'web', cluster: 'app' };
    assert.deepEqual(noted({ 'http.response.status_code': 101, ...session }), [
      ['sluice_ws_handshake_duration_seconds', labels, 0.5, 32],
      ['sluice_ws_session_duration_seconds', labels, 2, 32],
    ]);
  });

  it('do not exist for a refused handshake', () => {
    assert.deepEqual(noted({ 'http.response.status_code': 502, 'sluice.reason': 'timeout' }), []);
  });
});
