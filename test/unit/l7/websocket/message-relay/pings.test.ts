import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BINARY, CLOSE, PING, closeBody, encodeFrame } from '../../../../support/websocket/raw-frames.ts';
import { DOWNSTREAM_BUFFER, KIB, Stage, UPSTREAM_BUFFER } from './session-stage.ts';

describe('a client that pings', () => {
  it('keeps its session while it reads the answers', () => {
    const stage = new Stage();
    for (let count = 0; count < 100_000; count++) {
      stage.ping(127);
      stage.client.waiting = 0;
      stage.session.downstreamDrained();
    }
    assert.equal(stage.client.ended, null);
    assert.equal(stage.buffered('downstream'), 0);
  });

  it('has its pongs counted as soon as they are buffered', () => {
    const stage = new Stage();
    stage.ping(127);
    stage.ping(127);
    assert.equal(stage.buffered('downstream'), 254);
    stage.client.waiting = 0;
    stage.session.downstreamDrained();
    assert.equal(stage.buffered('downstream'), 0);
  });

  it('has its endpoint paused above its buffer size, and loses its session above that', () => {
    const stage = new Stage();
    let highest = 0;
    for (let count = 0; count < 10_000; count++) {
      stage.ping(127);
      highest = Math.max(highest, stage.buffered('downstream'));
      if (stage.buffered('downstream') > DOWNSTREAM_BUFFER) assert.ok(stage.endpoint.paused);
    }
    stage.turn();
    assert.equal(stage.client.ended, 'cut');
    assert.ok(highest <= DOWNSTREAM_BUFFER + 64 * KIB + 256, `${highest} bytes waited`);
    assert.equal(stage.overflows('downstream'), 1);
    assert.equal(stage.closes('1008'), 1);
    assert.equal(stage.buffered('downstream'), 0);
    assert.deepEqual(stage.endpoint.frames, [[CLOSE, closeBody(1001).toString('latin1')]]);
    assert.ok(!stage.endpoint.paused, 'the answer to the close frame is read');
  });

  it('may ping after a buffered message of any size', () => {
    const stage = new Stage();
    stage.receive(encodeFrame(BINARY, Buffer.alloc(3 * DOWNSTREAM_BUFFER)));
    assert.ok(stage.endpoint.paused);
    for (let count = 0; count < 500; count++) stage.ping(127);
    assert.equal(stage.client.ended, null);
    for (let count = 0; count < 500; count++) stage.ping(127);
    assert.equal(stage.client.ended, 'cut');
  });

  it('may ping endlessly while it takes buffered bytes, however slowly', () => {
    const stage = new Stage();
    for (let count = 0; count < 10_000; count++) {
      stage.receive(encodeFrame(BINARY, Buffer.alloc(1000)));
      stage.ping(127);
      stage.client.waiting = Math.max(0, stage.client.waiting - 1127);
      stage.session.downstreamDrained();
      if (count === 100) stage.receive(encodeFrame(BINARY, Buffer.alloc(2 * DOWNSTREAM_BUFFER)));
    }
    assert.equal(stage.client.ended, null);
  });

  it('is ignored after its session has ended', () => {
    const stage = new Stage();
    stage.client.waiting = 10 * DOWNSTREAM_BUFFER;
    stage.session.drain();
    stage.session.downstreamPinged(new Uint8Array(0));
    assert.equal(stage.overflows('downstream'), 0);
  });
});

describe('an endpoint that pings', () => {
  it('gets an answer to each ping while it reads', () => {
    const stage = new Stage();
    for (let count = 0; count < 1000; count++) {
      stage.receive(encodeFrame(PING, String(count)));
      stage.turn();
    }
    assert.deepEqual(
      stage.endpoint.pongs,
      Array.from({ length: 1000 }, (_, count) => String(count)),
    );
  });

  it('gets only the latest pongs if it does not read for a while', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    let highest = 0;
    for (let count = 0; count < 20_000; count++) {
      stage.receive(encodeFrame(PING, String(count).padEnd(125)));
      stage.turn();
      highest = Math.max(highest, stage.endpoint.writableLength);
    }
    assert.ok(highest < 65 * KIB, `${highest} bytes waited`);
    assert.equal(stage.client.ended, null);
    assert.ok(stage.endpoint.pongs.length < 600);
    stage.endpoint.drain();
    stage.turn();
    assert.equal(stage.endpoint.pongs.at(-1)?.trim(), '19999');
    stage.receive(encodeFrame(PING, 'next'));
    stage.turn();
    assert.deepEqual(
      stage.endpoint.pongs.slice(-2).map((payload) => payload.trim()),
      ['19999', 'next'],
    );
  });

  it('gets an answer per second while it reads slowly', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    stage.message(100 * KIB);
    for (let second = 0; second < 3; second++) {
      for (let count = 0; count < 100; count++) stage.receive(encodeFrame(PING, `${second} ${count}`));
      stage.turn();
      stage.budget.refresh();
      stage.turn();
    }
    assert.deepEqual(stage.endpoint.pongs, ['0 99', '1 99', '2 99']);
  });

  it('gets no answer without room in its buffer', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    stage.message(UPSTREAM_BUFFER - 100);
    for (let count = 0; count < 1000; count++) {
      stage.receive(encodeFrame(PING, 'x'.repeat(125)));
      stage.turn();
      stage.budget.refresh();
    }
    assert.deepEqual(stage.endpoint.pongs, []);
    assert.ok(stage.endpoint.writableLength <= UPSTREAM_BUFFER);
    assert.equal(stage.client.ended, null);
  });
});
