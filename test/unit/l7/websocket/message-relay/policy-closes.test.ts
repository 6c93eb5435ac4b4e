import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CLOSE, closeBody } from '../../../../support/websocket/raw-frames.ts';
import { Stage } from './session-stage.ts';

const GOING_AWAY = [CLOSE, closeBody(1001).toString('latin1')];

describe('a message session closed by a policy', () => {
  it('gives the client the code and the reason, and the endpoint 1001', () => {
    const stage = new Stage();
    assert.equal(stage.session.close(4001, 'signed out elsewhere'), true);
    assert.deepEqual([stage.client.ended, stage.client.reason], ['4001', 'signed out elsewhere']);
    assert.deepEqual(stage.endpoint.frames, [GOING_AWAY]);
    assert.equal(stage.session.close(1008, 'again'), false);
  });

  it('is counted as closed by sluice, and logged with the reason', () => {
    const stage = new Stage();
    stage.session.close(1013, 'too many messages');
    assert.equal(stage.closes('1013'), 1);
    const line = stage.lines[1];
    assert.ok(line !== 'opened');
    assert.deepEqual([line?.side, line?.code, line?.reason], ['proxy', 1013, 'too many messages']);
  });

  it('does not cut a long reason in the middle of a character', () => {
    const stage = new Stage();
    stage.session.close(1008, `${'x'.repeat(122)}é`);
    assert.equal(stage.client.reason, 'x'.repeat(122));
  });

  it('ends with 1008 when its credential expires', () => {
    const stage = new Stage();
    stage.admission.endsAt = Date.now() - 1;
    stage.session.reschedule();
    stage.advance(100);
    assert.deepEqual([stage.client.ended, stage.client.reason], ['1008', 'token expired']);
    assert.deepEqual(stage.endpoint.frames, [GOING_AWAY]);
  });
});
