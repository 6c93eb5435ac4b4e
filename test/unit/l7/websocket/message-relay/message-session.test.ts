import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BINARY,
  CLOSE,
  PING,
  TEXT,
  closeBody,
  encodeFrame,
} from '../../../../support/websocket/raw-frames.ts';
import { DOWNSTREAM_BUFFER, KIB, Stage } from './session-stage.ts';

const NO_REASON = new Uint8Array(0);
const BROKEN_FRAME = Buffer.from([0xf2, 0]);

function closeFrame(code: number | null, reason = ''): [opcode: number, payload: string] {
  return [CLOSE, code === null ? '' : closeBody(code, reason).toString('latin1')];
}

describe('a session', () => {
  it("lives from the 101 until the endpoint's connection has closed", () => {
    const stage = new Stage();
    assert.deepEqual([...stage.relay.sessions], [stage.session]);
    assert.equal(stage.active, 1);
    stage.session.downstreamClosed(1000, NO_REASON);
    assert.equal(stage.active, 0);
    assert.deepEqual([...stage.relay.sessions], [stage.session]);
    assert.ok(!stage.isReleased);
    stage.session.channelClosed();
    assert.equal(stage.relay.sessions.size, 0);
    assert.ok(stage.isReleased);
  });

  it('relays messages both ways and counts them in its access lines', () => {
    const stage = new Stage();
    stage.session.downstreamMessage(new TextEncoder().encode('question').buffer, false);
    stage.turn();
    assert.deepEqual(stage.endpoint.frames, [[TEXT, 'question']]);
    stage.receive(encodeFrame(TEXT, 'answer'));
    stage.receive(encodeFrame(BINARY, 'and more'));
    assert.deepEqual(stage.client.messages, ['answer', 'and more']);
    stage.session.downstreamClosed(1000, NO_REASON);
    assert.deepEqual(stage.lines, [
      'opened',
      {
        side: 'client',
        code: 1000,
        reason: undefined,
        seconds: 0,
        messagesUpstream: 1,
        messagesDownstream: 2,
        bytesUpstream: 8,
        bytesDownstream: 14,
      },
    ]);
  });

  it('relays nothing from a client that has disconnected', () => {
    const stage = new Stage();
    stage.session.downstreamLost('gone', false);
    stage.message(10);
    assert.deepEqual(stage.endpoint.frames, [closeFrame(1001)]);
  });

  it('releases its endpoint without a count if it was never opened', () => {
    const stage = new Stage({ opens: false });
    stage.session.discard();
    assert.ok(stage.endpoint.destroyed && stage.isReleased);
    assert.equal(stage.endpoint.owner, null);
    assert.deepEqual([stage.relay.sessions.size, stage.active, stage.lines], [0, 0, []]);
  });

  it('knows its endpoint', () => {
    const { session } = new Stage();
    assert.ok(session.isOf('app', '10.0.0.1:80'));
    assert.ok(!session.isOf('app', '10.0.0.2:80'));
    assert.ok(!session.isOf('other', '10.0.0.1:80'));
  });

  it('forgets the buffered bytes when its endpoint has closed', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    stage.message(10 * KIB);
    stage.receive(encodeFrame(BINARY, Buffer.alloc(10 * KIB)));
    stage.session.downstreamUnfinished(5 * KIB);
    assert.ok(stage.buffered('upstream') > 0 && stage.buffered('downstream') > 0);
    stage.session.channelClosed();
    assert.equal(stage.budget.left, 1024 * KIB);
  });
});

describe('the end of a session by its client', () => {
  it('sends the endpoint the code and reason of its close frame', () => {
    const stage = new Stage();
    stage.session.downstreamClosed(4001, Buffer.from('done'));
    assert.deepEqual(stage.endpoint.frames, [closeFrame(4001, 'done')]);
    assert.equal(stage.closes('4xxx', 'client'), 1);
  });

  it('sends the endpoint 1001 without a close frame', () => {
    const stage = new Stage();
    stage.session.downstreamLost('timed out', false);
    assert.deepEqual(stage.endpoint.frames, [closeFrame(1001)]);
    assert.equal(stage.closes('1006', 'client'), 1);
    assert.equal((stage.lines[1] as { reason: string }).reason, 'timed out');
  });

  it('sends the endpoint no code if the engine refuses the close frame', () => {
    const stage = new Stage();
    stage.session.downstreamLost('bad close', true);
    assert.deepEqual(stage.endpoint.frames, [closeFrame(null)]);
    assert.equal(stage.closes('1006', 'client'), 1);
  });
});

describe('the end of a session by its endpoint', () => {
  it('sends the client the code and reason of its close frame, and answers it', () => {
    const stage = new Stage();
    stage.receive(encodeFrame(CLOSE, closeBody(4002, 'bye')));
    assert.deepEqual([stage.client.ended, stage.client.reason], ['4002', 'bye']);
    assert.deepEqual(stage.endpoint.frames, [closeFrame(4002)]);
    assert.ok(stage.endpoint.writableEnded);
    assert.equal(stage.closes('4xxx', 'endpoint'), 1);
  });

  it('sends the client a close frame without a code if it has none', () => {
    const stage = new Stage();
    stage.receive(encodeFrame(CLOSE, ''));
    assert.equal(stage.client.ended, '0');
  });

  for (const loss of ['channelEnded', 'channelClosed'] as const) {
    it(`sends the client the configured code without a close frame (${loss})`, () => {
      const stage = new Stage();
      if (loss === 'channelEnded') stage.session.channelEnded();
      else stage.session.channelClosed();
      assert.deepEqual([stage.client.ended, stage.client.reason], ['1011', 'endpoint lost']);
      assert.deepEqual(stage.endpoint.frames, []);
      assert.equal(stage.closes('1006', 'endpoint'), 1);
    });
  }

  it('sends the client the configured code after a broken frame, and the endpoint 1002', () => {
    const stage = new Stage();
    stage.receive(BROKEN_FRAME);
    assert.deepEqual([stage.client.ended, stage.client.reason], ['1011', 'endpoint protocol error']);
    assert.deepEqual(stage.endpoint.frames, [closeFrame(1002)]);
    assert.ok(stage.endpoint.writableEnded);
    assert.equal(stage.closes('1002', 'endpoint'), 1);
  });

  it('cuts its connection for a broken frame after our close frame', () => {
    const stage = new Stage();
    stage.session.drain();
    stage.receive(BROKEN_FRAME);
    assert.ok(stage.endpoint.destroyed);
  });
});

describe('the end of a session by sluice', () => {
  it('sends the client 1012, and the endpoint 1001', () => {
    const stage = new Stage();
    assert.equal(stage.session.evict('cluster removed'), true);
    assert.deepEqual([stage.client.ended, stage.client.reason], ['1012', 'cluster removed']);
    assert.deepEqual(stage.endpoint.frames, [closeFrame(1001)]);
    assert.equal(stage.session.evict('again'), false);
    assert.equal(stage.closes('1012'), 1);
  });

  for (const way of ['drain', 'end'] as const) {
    it(`sends the client a service restart (${way})`, () => {
      const stage = new Stage();
      stage.session[way]();
      assert.deepEqual([stage.client.ended, stage.client.reason], ['1012', 'service restart']);
    });
  }

  it('cuts both legs without a frame on abort', () => {
    const stage = new Stage();
    stage.session.abort();
    assert.equal(stage.client.ended, 'cut');
    assert.ok(stage.endpoint.destroyed);
    assert.deepEqual(stage.endpoint.frames, []);
    assert.equal(stage.closes('1006'), 1);
  });

  it('closes the client of an incomplete message with 1013 when the budget is full', () => {
    const stage = new Stage({ budget: 100 * KIB });
    stage.session.downstreamUnfinished(101 * KIB);
    assert.deepEqual([stage.client.ended, stage.client.reason], ['1013', 'unfinished message']);
    assert.ok(stage.endpoint.destroyed);
  });

  it('cuts a client with buffered bytes when the budget is full', () => {
    const stage = new Stage({ budget: 50 * KIB });
    stage.receive(encodeFrame(BINARY, Buffer.alloc(60 * KIB)));
    assert.equal(stage.client.ended, 'cut');
    assert.equal(stage.closes('1013'), 1);
    assert.equal(stage.buffered('downstream'), 0);
  });

  it('is counted once, whatever follows', () => {
    const stage = new Stage();
    stage.session.drain();
    stage.session.downstreamClosed(1000, NO_REASON);
    stage.session.downstreamLost('gone', false);
    stage.receive(encodeFrame(CLOSE, closeBody(1000)));
    stage.session.channelEnded();
    stage.session.abort();
    stage.session.channelClosed();
    assert.equal(stage.lines.length, 2);
    assert.equal(stage.active, 0);
    assert.deepEqual(stage.endpoint.frames, [closeFrame(1001)]);
  });
});

describe('the idle timeout of a session', () => {
  it('restarts with each byte from the endpoint', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    for (let second = 0; second < 5; second++) {
      stage.advance(900);
      stage.receive(Buffer.of(0x82));
      stage.advance(100);
      stage.receive(Buffer.of(0));
    }
    stage.turn();
    assert.deepEqual([stage.endpoint.frames, stage.client.ended], [[], null]);
    stage.advance(1100);
    stage.turn();
    assert.deepEqual(stage.endpoint.frames, [[PING, '']]);
    stage.advance(1000);
    assert.deepEqual([stage.client.ended, stage.client.reason], ['1011', 'endpoint timed out']);
    assert.ok(stage.endpoint.destroyed);
  });

  it('does not count time in which a slow client has paused the endpoint', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    stage.receive(encodeFrame(BINARY, Buffer.alloc(DOWNSTREAM_BUFFER + 1)));
    assert.ok(stage.endpoint.paused);
    stage.advance(10_000);
    stage.client.waiting = 0;
    stage.session.downstreamDrained();
    assert.ok(!stage.endpoint.paused);
    stage.advance(900);
    stage.turn();
    assert.deepEqual([stage.endpoint.frames, stage.client.ended], [[], null]);
    stage.advance(200);
    stage.turn();
    assert.deepEqual(stage.endpoint.frames, [[PING, '']]);
  });
});
