import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BINARY, CLOSE, PING, PONG, TEXT, encodeFrame } from '../../../../support/websocket/raw-frames.ts';
import { Stage, closeOf, masked } from './stream-stage.ts';

/** Payloads of the pings that a peer has got. */
function pings(frames: readonly [number, string][]): string[] {
  return frames.filter(([opcode]) => opcode === PING).map(([, payload]) => payload);
}

describe("sluice's own pings", () => {
  it('go to both sides at half of the idle timeout, and their pongs are not relayed', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    stage.advance(1100);
    const [toClient, toEndpoint] = [pings(stage.client.frames), pings(stage.endpoint.frames)];
    assert.deepEqual([toClient.length, toEndpoint.length], [1, 1]);
    assert.deepEqual([toClient[0]!.length, toEndpoint[0]!.length], [8, 8]);
    stage.client.send(masked(PONG, Buffer.from(toClient[0]!, 'latin1')));
    stage.endpoint.send(encodeFrame(PONG, Buffer.from(toEndpoint[0]!, 'latin1')));
    assert.equal(stage.client.frames.length, 1);
    assert.equal(stage.endpoint.frames.length, 1);
    stage.advance(900);
    assert.equal(stage.active, 1);
  });

  it('do not affect other pongs', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    stage.advance(1100);
    stage.client.send(masked(PONG, '12345678'));
    assert.deepEqual(stage.endpoint.frames.at(-1), [PONG, '12345678']);
  });

  it('do not go to a side that owes the other side a pong', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    stage.endpoint.send(encodeFrame(PING, 'mine'));
    stage.advance(1100);
    assert.deepEqual(pings(stage.client.frames), ['mine']);
    stage.client.send(masked(PONG, 'mine'));
    stage.endpoint.send(encodeFrame(TEXT, 'x'));
    stage.advance(1100);
    assert.equal(pings(stage.client.frames).length, 2);
  });

  it('wait for the end of a frame', () => {
    const stage = new Stage({ idleTimeoutMs: 10_000 });
    const frame = encodeFrame(BINARY, Buffer.alloc(1000));
    stage.endpoint.send(frame.subarray(0, 500));
    stage.advance(5100);
    assert.equal(stage.client.bytes.length, 500);
    stage.endpoint.send(Buffer.concat([frame.subarray(500), frame]));
    assert.deepEqual(
      stage.client.frames.map(([opcode]) => opcode),
      [BINARY, PING, BINARY],
    );
    assert.equal(stage.active, 1);
  });
});

describe('the idle timeout of a byte session', () => {
  it('closes the session of a silent endpoint', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    for (let count = 0; count < 4; count++) {
      stage.advance(500);
      stage.client.send(masked(TEXT, 'x'));
    }
    stage.advance(200);
    assert.deepEqual(stage.client.frames.at(-1), closeOf(1011, 'endpoint timed out'));
    assert.ok(stage.endpoint.destroyed);
    assert.deepEqual([stage.closes('1006', 'endpoint'), stage.end.reason], [1, 'endpoint timed out']);
  });

  it('closes the session of a silent client', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    for (let count = 0; count < 4; count++) {
      stage.advance(500);
      stage.endpoint.send(encodeFrame(TEXT, 'x'));
    }
    stage.advance(200);
    assert.ok(stage.client.destroyed);
    assert.equal(stage.endpoint.frames.at(-1)?.[0], CLOSE);
    assert.deepEqual([stage.closes('1006', 'client'), stage.end.reason], [1, 'client timed out']);
  });

  it('restarts with bytes of any kind', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    const up = masked(BINARY, Buffer.alloc(100));
    const down = encodeFrame(BINARY, Buffer.alloc(100));
    for (let at = 0; at < 100; at++) {
      stage.advance(900);
      stage.client.send(up.subarray(at, at + 1));
      stage.endpoint.send(down.subarray(at, at + 1));
    }
    assert.equal(stage.active, 1);
    assert.deepEqual([pings(stage.client.frames), pings(stage.endpoint.frames)], [[], []]);
  });

  it('does not count time in which a slow client pauses its endpoint', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    stage.client.blocked = true;
    stage.endpoint.send(encodeFrame(BINARY, Buffer.alloc(1000)));
    for (let count = 0; count < 10; count++) {
      stage.advance(900);
      stage.client.send(masked(PONG, 'x'));
    }
    assert.equal(stage.active, 1);
    assert.deepEqual(pings(stage.endpoint.frames), []);
    stage.client.drain();
    stage.advance(800);
    assert.deepEqual(pings(stage.endpoint.frames), []);
  });

  it('counts a client that reads as alive', () => {
    const stage = new Stage({ idleTimeoutMs: 2000 });
    for (let count = 0; count < 10; count++) {
      stage.client.blocked = true;
      stage.endpoint.send(encodeFrame(BINARY, Buffer.alloc(1000)));
      stage.advance(900);
      stage.client.drain();
    }
    assert.deepEqual([stage.active, pings(stage.client.frames)], [1, []]);
  });
});
