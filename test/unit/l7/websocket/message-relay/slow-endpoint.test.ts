import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SLAB_BYTES } from '../../../../../src/l7/websocket/message-relay/outbox.ts';
import { CLOSE, PING, closeBody } from '../../../../support/websocket/raw-frames.ts';
import { KIB, Stage, UPSTREAM_BUFFER } from './session-stage.ts';

describe('an endpoint that does not read', () => {
  it('loses its session with 1013 if a message has no room', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    stage.message(UPSTREAM_BUFFER);
    assert.equal(stage.buffered('upstream'), stage.endpoint.writableLength);
    stage.message(1);
    assert.equal(stage.client.ended, '1013');
    assert.ok(stage.endpoint.destroyed);
    assert.equal(stage.overflows('upstream'), 1);
    assert.equal(stage.closes('1013'), 1);
  });

  for (const size of [100, UPSTREAM_BUFFER, 2 * UPSTREAM_BUFFER]) {
    it(`gets a close frame after a message of ${size} bytes, and 5 seconds for both`, () => {
      const stage = new Stage();
      stage.endpoint.blocked = true;
      stage.message(size);
      stage.session.downstreamClosed(1000, new Uint8Array(0));
      assert.deepEqual(stage.endpoint.frames.at(-1), [CLOSE, closeBody(1000).toString('latin1')]);
      for (let tick = 0; tick < 49; tick++) stage.advance(100);
      assert.ok(!stage.endpoint.destroyed);
      for (let tick = 0; tick < 2; tick++) stage.advance(100);
      assert.ok(stage.endpoint.destroyed);
    });
  }

  it('is not pinged with a full buffer, and is lost if it stays silent', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    stage.endpoint.blocked = true;
    stage.message(UPSTREAM_BUFFER);
    for (let tick = 0; tick < 150; tick++) {
      stage.advance(100);
      stage.turn();
    }
    assert.ok(stage.endpoint.frames.every(([opcode]) => opcode !== PING));
    assert.equal(stage.client.ended, '1011');
    assert.ok(stage.endpoint.destroyed);
  });

  it('costs no copy of a message that exceeds the budget', () => {
    const stage = new Stage({ budget: 1024 * KIB });
    stage.endpoint.blocked = true;
    stage.message(2048 * KIB);
    assert.equal(stage.client.ended, '1013');
    assert.ok(stage.endpoint.destroyed);
    assert.ok(
      stage.endpoint.writableLength <= SLAB_BYTES,
      `${stage.endpoint.writableLength} bytes were queued`,
    );
    assert.equal(stage.buffered('upstream'), 0);
  });

  it('is cut if the budget needs its buffered bytes, even after its session has ended', () => {
    const stage = new Stage({ budget: 150 * KIB });
    stage.endpoint.blocked = true;
    stage.message(100 * KIB);
    stage.session.downstreamClosed(1000, new Uint8Array(0));
    assert.ok(!stage.endpoint.destroyed);
    const other = {
      bufferedDownstream: 0,
      bufferedUpstream: 0,
      bufferedUnfinished: 0,
      measureBuffers: () => undefined,
      shed: () => undefined,
    };
    stage.budget.setDownstream(other, 60 * KIB);
    assert.ok(stage.endpoint.destroyed);
  });
});
