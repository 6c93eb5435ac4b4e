import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  handshakeOutcome,
  requestOutcome,
  sessionOutcome,
  tunnelOutcome,
} from '../../../../src/telemetry/journal/outcomes.ts';

describe('the rating of outcomes', () => {
  it('rates server errors, counted refusals and cut responses as failures', () => {
    assert.deepEqual(
      [
        requestOutcome(200, false, false),
        requestOutcome(404, false, false),
        requestOutcome(404, true, false),
      ],
      ['success', 'success', 'refusal'],
    );
    assert.deepEqual(
      [requestOutcome(502, true, false), requestOutcome(403, true, true), requestOutcome(200, false, true)],
      ['failure', 'failure', 'failure'],
    );
  });

  it('rates sessions ended by the proxy as refusals, and abnormal ends as failures', () => {
    assert.deepEqual(
      [sessionOutcome('client', 1000), sessionOutcome('endpoint', 4001), sessionOutcome('proxy', 1012)],
      ['success', 'success', 'refusal'],
    );
    assert.deepEqual(
      [sessionOutcome('client', 1006), sessionOutcome('proxy', 1008), sessionOutcome('endpoint', 1011)],
      ['failure', 'failure', 'failure'],
    );
  });

  it('rates refused handshakes as failures, except harmless ones', () => {
    assert.deepEqual(
      [
        handshakeOutcome('dial_failed', 502),
        handshakeOutcome('refused', 500),
        handshakeOutcome('access', 401),
      ],
      ['failure', 'failure', 'failure'],
    );
    assert.deepEqual(
      [
        handshakeOutcome('refused', 401),
        handshakeOutcome('no_route', 404),
        handshakeOutcome('client_gone', 499),
      ],
      ['refusal', 'refusal', 'refusal'],
    );
  });

  it('rates reset and faulty tunnels as failures, and tunnels ended by the proxy as refusals', () => {
    assert.deepEqual(['closed', 'reset', 'fault', 'drained', 'idle timeout'].map(tunnelOutcome), [
      'success',
      'failure',
      'failure',
      'refusal',
      'refusal',
    ]);
  });
});
