import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BINARY, CLOSE, TEXT, closeBody, encodeFrame } from '../../../../support/websocket/raw-frames.ts';
import { Stage, closeOf, masked } from './stream-stage.ts';

const LARGE = encodeFrame(BINARY, Buffer.alloc(1000));

describe('a session that must drain', () => {
  it('drains when neither side is in the middle of a frame', () => {
    const stage = new Stage();
    stage.endpoint.send(LARGE.subarray(0, 500));
    assert.equal(stage.session.drain(), false);
    stage.advance(60_000);
    assert.deepEqual([stage.client.bytes.length, stage.active], [500, 1]);
    stage.endpoint.send(Buffer.concat([LARGE.subarray(500), LARGE.subarray(0, 10)]));
    assert.deepEqual(stage.client.frames.slice(1), [closeOf(1012, 'service restart')]);
    assert.deepEqual(stage.endpoint.frames, [closeOf(1001)]);
    assert.equal(stage.session.drain(), true);
  });

  it('continues after the current frame if the drain is cancelled', () => {
    const stage = new Stage();
    stage.endpoint.send(LARGE.subarray(0, 500));
    stage.session.drain();
    stage.session.undrain();
    stage.endpoint.send(Buffer.concat([LARGE.subarray(500), encodeFrame(TEXT, 'on')]));
    stage.advance(60_000);
    assert.deepEqual([stage.client.frames.slice(1), stage.endpoint.frames], [[[TEXT, 'on']], []]);
    assert.equal(stage.active, 1);
  });

  it('is recorded as draining once, and not after its end', () => {
    const stage = new Stage();
    stage.session.drain();
    stage.session.drain();
    assert.deepEqual(stage.happenings, ['draining']);
    const closing = new Stage();
    closing.client.send(masked(CLOSE, closeBody(1000)));
    closing.session.drain();
    assert.deepEqual(closing.happenings, []);
  });

  it('is closed even if the drain is cancelled after the close frame', () => {
    const stage = new Stage();
    stage.session.drain();
    stage.session.undrain();
    assert.deepEqual(stage.client.frames, [closeOf(1012, 'service restart')]);
    stage.advance(5100);
    assert.ok(stage.isOver);
  });

  it('cuts the side in the middle of a frame at the deadline of the drain', () => {
    const stage = new Stage();
    stage.endpoint.send(LARGE.subarray(0, 500));
    stage.session.drain();
    stage.session.end();
    assert.equal(stage.client.bytes.length, 500);
    assert.ok(stage.client.writableEnded);
    assert.deepEqual(stage.endpoint.frames, [closeOf(1001)]);
    assert.equal(stage.closes('1012'), 1);
    stage.advance(5100);
    assert.ok(stage.isOver);
  });

  it('ends in time if a side closes while a drain waits for the other side', () => {
    const stage = new Stage();
    stage.endpoint.send(LARGE.subarray(0, 500));
    stage.session.drain();
    stage.client.send(masked(CLOSE, closeBody(1000)));
    stage.advance(10_100);
    assert.ok(stage.isOver);
  });
});
