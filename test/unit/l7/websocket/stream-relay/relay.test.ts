import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  closeBody,
  encodeFrame,
} from '../../../../support/websocket/raw-frames.ts';
import { KIB, MAX_MESSAGE_SIZE, Stage, closeOf, masked } from './stream-stage.ts';

describe('a byte session', () => {
  it('lives from the 101 until both connections have closed', () => {
    const stage = new Stage();
    assert.deepEqual([...stage.relay.sessions], [stage.session]);
    assert.equal(stage.active, 1);
    stage.client.send(masked(CLOSE, closeBody(1000)));
    assert.equal(stage.active, 1);
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1000)));
    assert.equal(stage.active, 0);
    stage.endpoint.sendFin();
    assert.deepEqual([...stage.relay.sessions], [stage.session]);
    stage.client.sendFin();
    assert.ok(stage.isOver);
  });

  it('relays bytes unchanged both ways, and counts messages', () => {
    const stage = new Stage();
    const up = Buffer.concat([
      masked(TEXT, 'a', false),
      masked(0, 'bc'),
      masked(BINARY, Buffer.alloc(300, 7)),
    ]);
    const down = Buffer.concat([encodeFrame(TEXT, 'hello'), encodeFrame(BINARY, '')]);
    stage.client.send(up);
    stage.endpoint.send(down);
    assert.deepEqual(stage.endpoint.bytes, up);
    assert.deepEqual(stage.client.bytes, down);
    assert.deepEqual([stage.messages('upstream'), stage.messages('downstream')], [2, 2]);
    assert.deepEqual([stage.bytes('upstream'), stage.bytes('downstream')], [303, 5]);
    stage.client.send(masked(CLOSE, closeBody(1000)));
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1000)));
    assert.deepEqual(stage.lines, [
      'opened',
      {
        side: 'client',
        code: 1000,
        reason: undefined,
        seconds: 0,
        messagesUpstream: 2,
        messagesDownstream: 2,
        bytesUpstream: 303,
        bytesDownstream: 5,
      },
    ]);
  });

  it('relays frames that are split at every byte', () => {
    const up = Buffer.concat([masked(PING, 'p'), masked(TEXT, 'text'), masked(BINARY, Buffer.alloc(200))]);
    const stage = new Stage();
    for (const byte of up) stage.client.send(Buffer.of(byte));
    assert.deepEqual(stage.endpoint.bytes, up);
    assert.equal(stage.messages('upstream'), 2);
  });

  it('relays bytes after the request and after the 101', () => {
    const rest = masked(TEXT, 'early');
    const stage = new Stage({ rest });
    stage.session.endpointBegan(encodeFrame(TEXT, 'welcome'));
    assert.deepEqual(stage.endpoint.bytes, rest);
    assert.deepEqual(stage.client.frames, [[TEXT, 'welcome']]);
  });

  it('relays pings and pongs', () => {
    const stage = new Stage();
    stage.client.send(masked(PING, '12345678'));
    stage.endpoint.send(encodeFrame(PONG, '12345678'));
    stage.endpoint.send(encodeFrame(PING, 'x'));
    stage.client.send(masked(PONG, 'x'));
    assert.deepEqual(stage.endpoint.frames, [
      [PING, '12345678'],
      [PONG, 'x'],
    ]);
    assert.deepEqual(stage.client.frames, [
      [PONG, '12345678'],
      [PING, 'x'],
    ]);
  });

  it('releases its endpoint without a count if it was never opened', () => {
    const stage = new Stage({ opens: false });
    stage.session.discard();
    assert.ok(stage.endpoint.destroyed);
    assert.equal(stage.released, 1);
    assert.deepEqual([stage.relay.sessions.size, stage.active, stage.lines], [0, 0, []]);
  });

  it('knows its endpoint', () => {
    const { session } = new Stage();
    assert.ok(session.isOf('app', '10.0.0.1:80'));
    assert.ok(!session.isOf('app', '10.0.0.2:80'));
    assert.ok(!session.isOf('other', '10.0.0.1:80'));
  });
});

describe('a slow side', () => {
  it('pauses the endpoint, and at most one read is buffered for the client', () => {
    const stage = new Stage();
    stage.client.blocked = true;
    const message = encodeFrame(BINARY, Buffer.alloc(900 * KIB, 1));
    stage.endpoint.send(message);
    assert.ok(stage.endpoint.paused);
    assert.equal(stage.buffered('downstream'), 64 * KIB);
    assert.equal(stage.endpoint.unread, message.length - 64 * KIB);
    stage.client.drain();
    assert.deepEqual(stage.client.bytes, message);
    assert.equal(stage.buffered('downstream'), 0);
  });

  it('pauses the client, and closes nothing', () => {
    const stage = new Stage();
    stage.endpoint.blocked = true;
    const messages = Buffer.concat(Array.from({ length: 100 }, () => masked(BINARY, Buffer.alloc(9000))));
    stage.client.send(messages);
    assert.ok(stage.client.paused);
    assert.equal(stage.buffered('upstream'), 64 * KIB);
    stage.endpoint.drain();
    assert.deepEqual(stage.endpoint.bytes, messages);
    assert.deepEqual([stage.client.frames, stage.active], [[], 1]);
  });

  it('still relays pings in the other direction', () => {
    const stage = new Stage();
    stage.client.blocked = true;
    stage.endpoint.send(encodeFrame(BINARY, Buffer.alloc(900 * KIB)));
    stage.client.send(masked(PING, 'alive?'));
    assert.deepEqual(stage.endpoint.frames, [[PING, 'alive?']]);
  });
});

describe('bulk data', () => {
  it('is spliced to the end of its frame, and counted', () => {
    const stage = new Stage();
    stage.endpoint.canSplice = true;
    const down = Buffer.concat([
      encodeFrame(BINARY, Buffer.alloc(500 * KIB, 3)),
      encodeFrame(TEXT, 'next'),
      encodeFrame(BINARY, Buffer.alloc(60 * KIB, 4)),
    ]);
    stage.endpoint.send(down);
    assert.deepEqual(stage.client.bytes, down);
    assert.equal(stage.endpoint.spliced, 500 * KIB - (64 * KIB - 10));
    assert.equal(stage.messages('downstream'), 3);
    assert.equal(stage.bytes('downstream'), 560 * KIB + 4);
  });

  it('pauses the endpoint if the client does not take it', () => {
    const stage = new Stage();
    stage.endpoint.canSplice = true;
    stage.endpoint.send(encodeFrame(BINARY, Buffer.alloc(500 * KIB)).subarray(0, 65 * KIB));
    stage.client.blocked = true;
    stage.endpoint.send(Buffer.alloc(400 * KIB));
    assert.ok(stage.endpoint.paused);
    assert.ok(stage.client.mostWaiting <= 64 * KIB);
    stage.client.drain();
    assert.equal(stage.client.bytes.length, 465 * KIB);
  });

  it('is copied if the connections cannot splice', () => {
    const stage = new Stage();
    const message = masked(BINARY, Buffer.alloc(500 * KIB, 3));
    stage.client.send(message);
    assert.deepEqual(stage.endpoint.bytes, message);
  });
});

describe('a protocol violation', () => {
  it('by the client causes a close frame to it, and 1001 to the endpoint', () => {
    const stage = new Stage();
    stage.client.send(
      Buffer.concat([masked(TEXT, 'good'), encodeFrame(TEXT, 'unmasked'), masked(TEXT, 'late')]),
    );
    assert.deepEqual(stage.endpoint.frames, [[TEXT, 'good'], closeOf(1001)]);
    // The answer to what was good comes first.
    assert.deepEqual(stage.client.frames, []);
    stage.endpoint.send(encodeFrame(TEXT, 'answer'));
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1001)));
    assert.deepEqual(stage.client.frames, [[TEXT, 'answer'], closeOf(1002, 'unmasked frame from a client')]);
    assert.equal(stage.closes('1006', 'client'), 1);
    assert.ok(stage.client.writableEnded);
    assert.ok(!stage.client.destroyed);
    stage.client.sendFin();
    stage.endpoint.sendFin();
    assert.ok(stage.isOver);
  });

  it('by an oversized message closes with 1009', () => {
    const stage = new Stage();
    stage.client.send(masked(BINARY, Buffer.alloc(MAX_MESSAGE_SIZE), false));
    stage.client.send(masked(0, 'x'));
    stage.endpoint.sendFin();
    assert.equal(stage.client.frames[0]?.[1].slice(0, 2), '\x03\xf1');
    assert.deepEqual(stage.endpoint.frames.at(-1), closeOf(1001));
  });

  it('by the endpoint causes the configured code to the client, and a close frame to the endpoint', () => {
    const stage = new Stage({ endpointLostCode: 1014 });
    stage.endpoint.send(masked(TEXT, 'masked'));
    assert.deepEqual(stage.client.frames, [closeOf(1014, 'endpoint protocol error')]);
    stage.client.send(masked(TEXT, 'last'));
    stage.client.send(masked(CLOSE, closeBody(1014)));
    assert.deepEqual(stage.endpoint.frames, [[TEXT, 'last'], closeOf(1002, 'masked frame from a server')]);
    assert.equal(stage.closes('1002', 'endpoint'), 1);
    assert.ok(stage.endpoint.writableEnded);
    assert.ok(stage.client.writableEnded);
  });

  it("in the middle of the other side's frame is answered after that frame", () => {
    const stage = new Stage();
    const frame = encodeFrame(BINARY, Buffer.alloc(1000));
    stage.endpoint.send(frame.subarray(0, 500));
    stage.client.send(encodeFrame(TEXT, 'unmasked'));
    assert.equal(stage.client.bytes.length, 500);
    stage.advance(900);
    stage.endpoint.send(Buffer.concat([frame.subarray(500), encodeFrame(CLOSE)]));
    assert.deepEqual(
      stage.client.frames.map(([opcode]) => opcode),
      [BINARY, CLOSE],
    );
  });

  it('in the middle of an endless frame cuts the connection after a second', () => {
    const stage = new Stage();
    stage.endpoint.send(encodeFrame(BINARY, Buffer.alloc(1000)).subarray(0, 500));
    stage.client.send(encodeFrame(TEXT, 'unmasked'));
    stage.advance(1100);
    assert.equal(stage.client.bytes.length, 500);
    assert.ok(stage.client.writableEnded);
    stage.advance(5100);
    assert.ok(stage.isOver);
  });

  it('is answered after 5 seconds if the other side does not close', () => {
    const stage = new Stage();
    stage.client.send(encodeFrame(TEXT, 'unmasked'));
    stage.advance(4900);
    assert.deepEqual(stage.client.frames, []);
    stage.advance(200);
    assert.deepEqual(stage.client.frames, [closeOf(1002, 'unmasked frame from a client')]);
    assert.ok(stage.client.writableEnded);
    stage.advance(5100);
    assert.ok(stage.isOver);
  });

  it('by both sides closes both', () => {
    const stage = new Stage();
    stage.client.send(encodeFrame(TEXT, 'unmasked'));
    stage.endpoint.send(masked(TEXT, 'masked'));
    assert.deepEqual(stage.client.frames, [closeOf(1002, 'unmasked frame from a client')]);
    assert.deepEqual(stage.endpoint.frames, [closeOf(1001)]);
    stage.client.sendFin();
    stage.endpoint.sendFin();
    assert.ok(stage.isOver);
  });

  it('is not reported if an extension uses the reserved bit', () => {
    const compressed = encodeFrame(TEXT, 'abc', { reserved: 4 });
    const stage = new Stage({ extensions: 'permessage-deflate; server_no_context_takeover' });
    stage.endpoint.send(compressed);
    assert.deepEqual(stage.client.bytes, compressed);
    const other = new Stage();
    other.endpoint.send(compressed);
    other.client.sendFin();
    assert.equal(other.closes('1002', 'endpoint'), 1);
  });
});
