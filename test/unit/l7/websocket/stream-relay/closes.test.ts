import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BINARY, CLOSE, TEXT, closeBody, encodeFrame } from '../../../../support/websocket/raw-frames.ts';
import { KIB, Stage, closeOf, masked } from './stream-stage.ts';

const LARGE = encodeFrame(BINARY, Buffer.alloc(1000));

describe('a session that its client ends', () => {
  for (const code of [1000, 1001, 1012, 1014, 3000, 3999, 4000, 4999]) {
    it(`forwards the code ${code} and its answer`, () => {
      const stage = new Stage();
      const close = masked(CLOSE, closeBody(code, 'why'));
      stage.client.send(close);
      assert.deepEqual(stage.endpoint.bytes, close);
      stage.endpoint.send(encodeFrame(CLOSE, closeBody(code, 'because')));
      assert.deepEqual([stage.end.side, stage.end.code], ['client', code]);
      assert.deepEqual(stage.client.frames, [closeOf(code, 'because')]);
      assert.ok(stage.client.writableEnded && stage.endpoint.writableEnded);
    });
  }

  it('forwards a close frame without a code', () => {
    const stage = new Stage();
    stage.client.send(masked(CLOSE));
    assert.deepEqual(stage.endpoint.frames, [closeOf(null)]);
    stage.endpoint.send(encodeFrame(CLOSE));
    assert.equal(stage.closes('1005', 'client'), 1);
  });

  it('forwards what the endpoint sends before its answer', () => {
    const stage = new Stage();
    stage.client.send(Buffer.concat([masked(TEXT, 'question'), masked(CLOSE, closeBody(1000))]));
    stage.client.sendFin();
    stage.endpoint.send(Buffer.concat([encodeFrame(TEXT, 'answer'), encodeFrame(CLOSE, closeBody(1000))]));
    stage.endpoint.sendFin();
    assert.deepEqual(stage.client.frames, [[TEXT, 'answer'], closeOf(1000)]);
    assert.ok(stage.isOver);
  });

  it('answers a client that sends FIN without a close frame', () => {
    const stage = new Stage();
    stage.client.send(masked(TEXT, 'question'));
    stage.client.sendFin();
    assert.deepEqual(stage.endpoint.frames, [[TEXT, 'question'], closeOf(1001)]);
    stage.endpoint.send(Buffer.concat([encodeFrame(TEXT, 'answer'), encodeFrame(CLOSE, closeBody(1001))]));
    stage.endpoint.sendFin();
    assert.equal(stage.closes('1006', 'client'), 1);
    assert.deepEqual([stage.end.messagesUpstream, stage.end.messagesDownstream], [1, 1]);
    assert.deepEqual(stage.client.frames, [[TEXT, 'answer'], closeOf(1001)]);
    assert.ok(stage.isOver);
  });

  it('forwards a FIN in the middle of a frame', () => {
    const stage = new Stage();
    const frame = masked(BINARY, Buffer.alloc(1000));
    stage.client.send(frame.subarray(0, 500));
    stage.client.sendFin();
    assert.deepEqual(stage.endpoint.bytes, frame.subarray(0, 500));
    assert.ok(stage.endpoint.writableEnded);
    stage.endpoint.send(encodeFrame(TEXT, 'bye'));
    stage.endpoint.sendFin();
    assert.deepEqual(stage.client.frames, [[TEXT, 'bye'], closeOf(null)]);
    assert.ok(stage.isOver);
  });

  it('sends the endpoint 1001 if the connection is lost', () => {
    const stage = new Stage();
    stage.client.lose(new Error('reset'));
    assert.deepEqual(stage.endpoint.frames, [closeOf(1001)]);
    assert.equal(stage.end.reason, 'client lost');
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1001)));
    stage.endpoint.sendFin();
    assert.ok(stage.isOver);
  });

  it('answers the client itself if the endpoint closes without an answer', () => {
    const stage = new Stage();
    stage.client.send(masked(CLOSE, closeBody(4001)));
    stage.endpoint.sendFin();
    assert.deepEqual(stage.client.frames, [closeOf(4001)]);
    assert.ok(stage.client.writableEnded);
  });

  it('answers the client itself if the endpoint does not answer in time, and cuts both', () => {
    const stage = new Stage();
    stage.client.send(masked(CLOSE, closeBody(4001)));
    stage.advance(5100);
    assert.deepEqual(stage.client.frames, [closeOf(4001)]);
    assert.ok(stage.isOver);
  });

  it('gives a slow client a minute to take buffered bytes, and the endpoint 5 seconds', () => {
    const stage = new Stage();
    stage.client.blocked = true;
    stage.endpoint.send(Buffer.concat([encodeFrame(TEXT, 'last'), encodeFrame(CLOSE, closeBody(1000))]));
    stage.advance(5100);
    assert.ok(stage.endpoint.destroyed);
    stage.advance(50_000);
    assert.ok(!stage.client.destroyed);
    stage.client.drain();
    stage.advance(5100);
    assert.deepEqual(stage.client.frames, [[TEXT, 'last'], closeOf(1000)]);
    assert.ok(stage.isOver);
  });

  it('cuts a client that takes nothing for a minute', () => {
    const stage = new Stage();
    stage.client.blocked = true;
    stage.endpoint.send(encodeFrame(TEXT, 'last'));
    stage.endpoint.lose(null);
    stage.advance(70_000);
    assert.ok(stage.isOver);
  });

  it('ignores bytes after its close frame', () => {
    const stage = new Stage();
    stage.client.send(Buffer.concat([masked(CLOSE, closeBody(1000)), masked(TEXT, 'late')]));
    assert.deepEqual(stage.endpoint.frames, [closeOf(1000)]);
  });
});

describe('a session that its endpoint ends', () => {
  it("forwards the code, and the client's answer", () => {
    const stage = new Stage();
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(4002, 'over')));
    assert.deepEqual(stage.client.frames, [closeOf(4002, 'over')]);
    const answer = masked(CLOSE, closeBody(4002));
    stage.client.send(answer);
    assert.equal(stage.closes('4xxx', 'endpoint'), 1);
    assert.deepEqual(stage.endpoint.bytes, answer);
    assert.ok(stage.client.writableEnded && stage.endpoint.writableEnded);
  });

  it('answers the endpoint itself if the client closes without an answer', () => {
    const stage = new Stage();
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(4002)));
    stage.client.lose(null);
    assert.deepEqual(stage.endpoint.frames, [closeOf(4002)]);
    assert.ok(stage.endpoint.writableEnded);
  });

  it("waits for the client's answer after the endpoint has closed", () => {
    const stage = new Stage();
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1000)));
    stage.endpoint.sendFin();
    assert.ok(!stage.client.writableEnded);
    stage.client.send(masked(CLOSE, closeBody(1000)));
    assert.ok(stage.client.writableEnded);
    stage.client.sendFin();
    assert.ok(stage.isOver);
  });

  for (const loss of ['FIN', 'reset']) {
    it(`sends the client the configured code without a close frame (${loss})`, () => {
      const stage = new Stage();
      if (loss === 'FIN') stage.endpoint.sendFin();
      else stage.endpoint.lose(new Error('reset'));
      assert.deepEqual(stage.client.frames, [closeOf(1011, 'endpoint lost')]);
      assert.equal(stage.closes('1006', 'endpoint'), 1);
      assert.equal(stage.released, 1);
      stage.client.send(masked(CLOSE, closeBody(1011)));
      stage.client.sendFin();
      assert.ok(stage.isOver);
    });
  }

  it('cuts the client after the received bytes if it is in the middle of a frame', () => {
    const stage = new Stage();
    stage.endpoint.send(LARGE.subarray(0, 500));
    stage.endpoint.sendFin();
    assert.equal(stage.client.bytes.length, 500);
    assert.ok(stage.client.writableEnded);
    stage.client.sendFin();
    assert.ok(stage.isOver);
  });

  it('delivers the buffered bytes to a slow client', () => {
    const stage = new Stage();
    stage.client.blocked = true;
    stage.endpoint.send(encodeFrame(TEXT, 'last words'));
    stage.client.send(masked(TEXT, 'x'));
    stage.endpoint.lose(null);
    stage.client.drain();
    assert.deepEqual(stage.client.frames, [[TEXT, 'last words'], closeOf(1011, 'endpoint lost')]);
  });
});

describe('a session that sluice ends', () => {
  it('sends the client 1012, and the endpoint 1001', () => {
    const stage = new Stage();
    assert.equal(stage.session.evict('cluster removed'), true);
    assert.deepEqual(stage.client.frames, [closeOf(1012, 'cluster removed')]);
    assert.deepEqual(stage.endpoint.frames, [closeOf(1001)]);
    assert.equal(stage.session.evict('again'), false);
    assert.equal(stage.closes('1012'), 1);
    stage.client.send(masked(CLOSE, closeBody(1012)));
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1001)));
    assert.ok(stage.client.writableEnded && stage.endpoint.writableEnded);
    assert.deepEqual([stage.client.frames.length, stage.endpoint.frames.length], [1, 1]);
  });

  for (const way of ['drain', 'end'] as const) {
    it(`sends the client a service restart (${way})`, () => {
      const stage = new Stage();
      stage.session[way]();
      assert.deepEqual(stage.client.frames, [closeOf(1012, 'service restart')]);
    });
  }

  it('ends in time if the client keeps sending and the endpoint is in the middle of a frame', () => {
    const stage = new Stage();
    const frame = masked(BINARY, Buffer.alloc(1000));
    stage.endpoint.send(LARGE.subarray(0, 500));
    stage.session.evict('cluster removed');
    for (let sent = 0; sent < 20; sent++) {
      stage.client.send(frame.subarray(0, 500));
      stage.advance(500);
      stage.client.send(frame.subarray(500));
    }
    assert.ok(stage.isOver);
  });

  it('waits for answers to bytes before a violation, and closes the violating client', () => {
    const stage = new Stage();
    stage.endpoint.send(LARGE.subarray(0, 500));
    stage.client.send(masked(3, 'x'));
    stage.advance(500);
    stage.endpoint.send(Buffer.concat([LARGE.subarray(500), encodeFrame(TEXT, 'answer')]));
    stage.advance(1500);
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1001)));
    assert.deepEqual(stage.client.frames.slice(1), [[TEXT, 'answer'], closeOf(1002, 'unknown opcode')]);
  });

  it('ends in time if the client answers a violation with endless messages', () => {
    const stage = new Stage();
    const frame = masked(BINARY, Buffer.alloc(1000));
    stage.client.send(frame.subarray(0, 500));
    stage.endpoint.send(masked(TEXT, 'masked'));
    for (let sent = 0; sent < 30; sent++) {
      stage.client.send(Buffer.concat([frame.subarray(500), frame.subarray(0, 500)]));
      stage.advance(500);
    }
    assert.ok(stage.isOver);
  });

  it('drops bytes from a side that has not seen the close frame yet', () => {
    const stage = new Stage();
    stage.session.drain();
    stage.client.send(masked(TEXT, 'late'));
    stage.endpoint.send(encodeFrame(TEXT, 'late'));
    assert.deepEqual([stage.client.frames.length, stage.endpoint.frames.length], [1, 1]);
  });

  it('reads the close frame of an endpoint that a slow client had paused', () => {
    const stage = new Stage();
    stage.client.blocked = true;
    stage.endpoint.send(Buffer.concat([LARGE, LARGE]));
    assert.ok(stage.endpoint.paused);
    stage.session.drain();
    assert.ok(!stage.endpoint.paused);
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1001)));
    assert.ok(stage.endpoint.writableEnded);
  });

  it('ends at its maximum lifetime', () => {
    const stage = new Stage({ maxLifetimeMs: 10_000 });
    stage.advance(11_100);
    assert.deepEqual(stage.client.frames, [closeOf(1012, 'maximum lifetime reached')]);
  });

  it('cuts both legs without a frame on abort', () => {
    const stage = new Stage();
    stage.session.abort();
    assert.deepEqual([stage.client.frames, stage.endpoint.frames], [[], []]);
    assert.equal(stage.closes('1006'), 1);
    assert.ok(stage.isOver);
  });

  it('cuts a client with buffered bytes when the budget is full', () => {
    const stage = new Stage({ budget: 50 * KIB });
    stage.client.blocked = true;
    stage.endpoint.send(encodeFrame(BINARY, Buffer.alloc(60 * KIB)));
    assert.ok(stage.isOver);
    assert.equal(stage.closes('1013'), 1);
    assert.equal(stage.buffered('downstream'), 0);
  });

  it('closes the client with 1013 if too many bytes are buffered for its endpoint', () => {
    const stage = new Stage({ budget: 50 * KIB });
    stage.endpoint.blocked = true;
    stage.client.send(masked(BINARY, Buffer.alloc(60 * KIB)));
    assert.deepEqual(stage.client.frames, [closeOf(1013, 'proxy overloaded')]);
    assert.ok(stage.endpoint.destroyed);
  });

  it('is counted once, whatever follows', () => {
    const stage = new Stage();
    stage.session.drain();
    stage.client.send(masked(CLOSE, closeBody(1000)));
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1000)));
    stage.session.end();
    stage.session.abort();
    assert.equal(stage.lines.length, 2);
    assert.ok(stage.isOver);
  });
});
