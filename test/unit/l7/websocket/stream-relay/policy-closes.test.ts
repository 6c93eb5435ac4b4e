import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BINARY, CLOSE, TEXT, closeBody, encodeFrame } from '../../../../support/websocket/raw-frames.ts';
import { Stage, closeOf, masked } from './stream-stage.ts';

const LARGE = encodeFrame(BINARY, Buffer.alloc(1000));

describe('a session closed by a policy', () => {
  it('gives the client the code and the reason, and the endpoint 1001', () => {
    const stage = new Stage();
    assert.equal(stage.session.close(4001, 'signed out elsewhere'), true);
    assert.deepEqual(stage.client.frames, [closeOf(4001, 'signed out elsewhere')]);
    assert.deepEqual(stage.endpoint.frames, [closeOf(1001)]);
    stage.client.send(masked(CLOSE, closeBody(4001)));
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1001)));
    assert.ok(stage.client.writableEnded && stage.endpoint.writableEnded);
  });

  it('is counted as closed by sluice, and logged with the reason', () => {
    const stage = new Stage();
    stage.session.close(1008, 'revoked');
    assert.deepEqual([stage.closes('1008'), stage.active], [1, 0]);
    assert.deepEqual([stage.end.side, stage.end.code, stage.end.reason], ['proxy', 1008, 'revoked']);
  });

  it('is closed once', () => {
    const stage = new Stage();
    stage.session.close(1008, 'revoked');
    assert.equal(stage.session.close(1013, 'again'), false);
    assert.equal(stage.client.frames.length, 1);
  });

  it('gets its close frame after the current frame, if that ends within a second', () => {
    const stage = new Stage();
    stage.endpoint.send(LARGE.subarray(0, 500));
    stage.session.close(1008, 'revoked');
    stage.advance(900);
    stage.endpoint.send(Buffer.concat([LARGE.subarray(500), encodeFrame(TEXT, 'late')]));
    assert.deepEqual(stage.client.frames.slice(1), [closeOf(1008, 'revoked')]);
    stage.advance(5100);
    assert.ok(stage.isOver);
  });

  it('gets FIN after a second if the current frame does not end', () => {
    const stage = new Stage();
    stage.endpoint.send(LARGE.subarray(0, 500));
    stage.session.close(1008, 'revoked');
    stage.advance(1100);
    assert.ok(stage.client.writableEnded);
    assert.equal(stage.client.bytes.length, 500);
  });
});

describe('a session whose credential expires', () => {
  it('ends with 1008 and the reason', () => {
    const stage = new Stage();
    stage.admission.endsAt = Date.now() - 1;
    stage.session.reschedule();
    stage.advance(100);
    assert.deepEqual(stage.client.frames, [closeOf(1008, 'token expired')]);
    assert.deepEqual(stage.endpoint.frames, [closeOf(1001)]);
    assert.deepEqual([stage.closes('1008'), stage.end.reason], [1, 'token expired']);
  });

  it('closes normally if it was already closing', () => {
    const stage = new Stage();
    stage.client.send(masked(CLOSE, closeBody(1000)));
    stage.admission.endsAt = Date.now() - 1;
    stage.session.reschedule();
    stage.advance(4900);
    assert.ok(!stage.isOver);
    stage.advance(5200);
    assert.ok(stage.isOver);
    assert.equal(stage.closes('1000', 'client'), 1);
  });

  it('does nothing after both sides left', () => {
    const stage = new Stage();
    stage.session.abort();
    stage.admission.endsAt = Date.now() - 1;
    stage.session.reschedule();
    stage.advance(1000);
    assert.equal(stage.closes('1008'), 0);
  });
});

describe('the identity of a session', () => {
  it('is an increasing number, unique in the thread', () => {
    const [first, second] = [new Stage(), new Stage()];
    assert.ok(first.session.number >= 1);
    assert.ok(second.session.number > first.session.number);
  });

  it('contains the second in which the session was opened', () => {
    const before = Date.now();
    const { openedAt } = new Stage().session;
    assert.ok(openedAt > before - 1000 && openedAt <= Date.now());
    assert.equal(openedAt % 1000, 0);
  });
});
