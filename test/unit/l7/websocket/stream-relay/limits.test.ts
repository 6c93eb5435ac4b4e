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
import { FakeMeter } from '../fake-meter.ts';
import { KIB, Stage, closeOf, masked, type StageOptions } from './stream-stage.ts';

class MeteredStage extends Stage {
  readonly meter: FakeMeter;

  constructor(options: StageOptions = {}, isBehind = false) {
    const meter = new FakeMeter();
    meter.isOverLimit = isBehind;
    super({ ...options, meter });
    this.meter = meter;
  }

  /** The client sends bytes, and the limit slows it down. */
  sendTooMuch(bytes: Buffer): void {
    this.meter.verdict = 'slow';
    this.client.send(bytes);
    this.meter.verdict = 'go';
  }
}

const LARGE = masked(BINARY, Buffer.alloc(1000));

describe("a client's traffic", () => {
  it('is counted once per read, including heads and control frames', () => {
    const stage = new MeteredStage();
    stage.client.send(Buffer.concat([masked(TEXT, 'one'), masked(PING, 'two'), masked(TEXT, 'three')]));
    stage.client.send(masked(PING));
    assert.deepEqual(stage.meter.reads, [
      [2, 29],
      [0, 6],
    ]);
  });

  it('is counted if it arrives with the request', () => {
    const stage = new MeteredStage({ rest: masked(TEXT, 'early') });
    assert.deepEqual(stage.meter.reads, [[1, 11]]);
  });

  it('is counted when it is spliced, up to the last byte', () => {
    const stage = new MeteredStage();
    stage.client.canSplice = true;
    const message = masked(BINARY, Buffer.alloc(300 * KIB));
    stage.client.send(message);
    assert.ok(stage.client.spliced > 200 * KIB);
    assert.deepEqual(
      [0, 1].map((part) => stage.meter.reads.reduce((sum, read) => sum + read[part]!, 0)),
      [1, message.length],
    );
  });

  it('is not counted after the end', () => {
    const stage = new MeteredStage();
    stage.session.close(1008, 'revoked');
    stage.client.send(masked(TEXT, 'late'));
    assert.deepEqual(stage.meter.reads, []);
  });

  it("excludes the endpoint's traffic", () => {
    const stage = new MeteredStage();
    stage.endpoint.send(encodeFrame(TEXT, 'free'));
    assert.deepEqual(stage.meter.reads, []);
  });
});

describe('a client slowed by a limit', () => {
  it('is not read on a new connection until the limit allows it', () => {
    const stage = new MeteredStage({}, true);
    stage.client.send(masked(TEXT, 'first'));
    assert.deepEqual([stage.meter.reads, stage.meter.waiting.length], [[], 1]);
    stage.meter.allow();
    assert.deepEqual(stage.meter.reads, [[1, 11]]);
  });

  it('is not read until the limit allows it, without loss', () => {
    const stage = new MeteredStage();
    stage.sendTooMuch(masked(TEXT, 'first'));
    stage.client.send(masked(TEXT, 'second'));
    assert.deepEqual(stage.endpoint.frames, [[TEXT, 'first']]);
    assert.ok(stage.client.paused);
    stage.meter.allow();
    assert.deepEqual(stage.endpoint.frames, [
      [TEXT, 'first'],
      [TEXT, 'second'],
    ]);
    assert.ok(!stage.client.paused);
  });

  it("still gets the endpoint's messages and pings", () => {
    const stage = new MeteredStage();
    stage.sendTooMuch(masked(TEXT, 'first'));
    stage.endpoint.send(Buffer.concat([encodeFrame(TEXT, 'answer'), encodeFrame(PING, 'well?')]));
    assert.deepEqual(stage.client.frames, [
      [TEXT, 'answer'],
      [PING, 'well?'],
    ]);
  });

  it('is no longer spliced', () => {
    const stage = new MeteredStage();
    stage.client.canSplice = true;
    const message = masked(BINARY, Buffer.alloc(300 * KIB));
    stage.client.send(message.subarray(0, 100 * KIB));
    stage.sendTooMuch(message.subarray(100 * KIB, 101 * KIB));
    stage.client.send(message.subarray(101 * KIB));
    assert.equal(stage.endpoint.bytes.length, 101 * KIB);
    stage.meter.allow();
    assert.deepEqual(stage.endpoint.bytes, message);
  });

  it('is neither idle nor pinged, and then gets its full idle timeout', () => {
    const stage = new MeteredStage({ idleTimeoutMs: 10_000 });
    stage.sendTooMuch(masked(TEXT, 'x'));
    const pass = (seconds: number): void => {
      for (let second = 0; second < seconds; second++) {
        stage.endpoint.send(encodeFrame(TEXT, 'x'));
        stage.advance(1000);
      }
    };
    pass(60);
    stage.meter.allow();
    pass(4);
    assert.ok(stage.client.frames.every(([opcode]) => opcode === TEXT));
    pass(5);
    assert.equal(stage.active, 1);
    pass(2);
    assert.equal(stage.closes('1006', 'client'), 1);
  });

  it('does not extend the life of a silent endpoint', () => {
    const stage = new MeteredStage({ idleTimeoutMs: 10_000 });
    stage.sendTooMuch(masked(TEXT, 'x'));
    stage.advance(10_100);
    assert.equal(stage.closes('1006', 'endpoint'), 1);
  });

  it('keeps an endpoint that waits for the rest of a frame, and cannot be pinged', () => {
    const stage = new MeteredStage({ idleTimeoutMs: 10_000 });
    for (let sent = 0; sent < 900; sent += 100) {
      stage.sendTooMuch(LARGE.subarray(sent, sent + 100));
      stage.advance(9000);
      stage.meter.allow();
    }
    assert.equal(stage.active, 1);
    stage.client.send(LARGE.subarray(900));
    stage.advance(10_100);
    assert.equal(stage.active, 0);
  });

  it('resumes only when the endpoint takes bytes again', () => {
    const stage = new MeteredStage();
    stage.endpoint.blocked = true;
    stage.sendTooMuch(masked(TEXT, 'first'));
    stage.client.send(masked(TEXT, 'second'));
    stage.meter.allow();
    assert.ok(stage.client.paused);
    stage.endpoint.drain();
    assert.equal(stage.endpoint.frames.length, 2);
  });

  it('resumes only when the limit allows it, even if the endpoint takes bytes again', () => {
    const stage = new MeteredStage();
    stage.endpoint.blocked = true;
    stage.sendTooMuch(masked(TEXT, 'first'));
    stage.client.send(masked(TEXT, 'second'));
    stage.endpoint.drain();
    assert.ok(stage.client.paused);
    stage.meter.allow();
    assert.equal(stage.endpoint.frames.length, 2);
  });

  it('waits once, even if more of the read follows', () => {
    const stage = new MeteredStage();
    stage.sendTooMuch(masked(TEXT, 'first'));
    stage.meter.verdict = 'slow';
    const more = masked(TEXT, 'in the same record');
    stage.client.owner?.channelData(more, 0, more.length);
    assert.equal(stage.meter.waiting.length, 1);
  });

  for (const [way, end, code] of [
    ['a drain', (stage: Stage) => void stage.session.drain(), 1012],
    ['an operator', (stage: Stage) => void stage.session.close(1008, 'kicked'), 1008],
    ['the loss of its endpoint', (stage: Stage) => stage.endpoint.lose(null), 1011],
  ] as const) {
    it(`is closed in time by ${way}, and ends its wait`, () => {
      const stage = new MeteredStage();
      stage.sendTooMuch(masked(TEXT, 'x'));
      end(stage);
      assert.deepEqual(stage.meter.waiting, []);
      assert.ok(!stage.client.paused);
      assert.equal(stage.client.frames.at(-1)?.[1].slice(0, 2), closeBody(code).toString('latin1'));
      stage.client.send(masked(CLOSE, closeBody(code)));
      assert.ok(stage.client.writableEnded);
      stage.advance(5100);
      assert.ok(stage.isOver);
    });
  }

  it('ends its wait when it disconnects', () => {
    const stage = new MeteredStage();
    stage.sendTooMuch(masked(TEXT, 'x'));
    stage.client.lose(new Error('reset'));
    assert.deepEqual(stage.meter.waiting, []);
  });

  it('ends its wait when it is cut', () => {
    const stage = new MeteredStage();
    stage.sendTooMuch(masked(TEXT, 'x'));
    stage.session.abort();
    assert.deepEqual(stage.meter.waiting, []);
    assert.ok(stage.isOver);
  });

  it('may finish its frame when the session closes in the middle of it', () => {
    const stage = new MeteredStage();
    stage.sendTooMuch(LARGE.subarray(0, 500));
    stage.client.send(LARGE.subarray(500));
    stage.session.close(1008, 'kicked');
    assert.deepEqual(stage.endpoint.frames.slice(1), [closeOf(1001)]);
  });

  it('drains after the current frame, when the limit has let it pass', () => {
    const stage = new MeteredStage();
    stage.sendTooMuch(LARGE.subarray(0, 500));
    stage.client.send(Buffer.concat([LARGE.subarray(500), masked(TEXT, 'too late')]));
    assert.equal(stage.session.drain(), false);
    assert.equal(stage.active, 1);
    stage.meter.allow();
    assert.deepEqual(stage.endpoint.frames.slice(1), [closeOf(1001)]);
    assert.deepEqual(stage.client.frames, [closeOf(1012, 'service restart')]);
  });
});

describe('a client closed by a limit', () => {
  it("gets the limit's code and reason, and the endpoint gets 1001", () => {
    const stage = new MeteredStage();
    stage.meter.verdict = 'close';
    stage.client.send(Buffer.concat([masked(TEXT, 'one'), masked(TEXT, 'two')]));
    assert.deepEqual(stage.client.frames, [closeOf(1008, 'too many messages')]);
    assert.deepEqual(stage.endpoint.frames.at(-1), closeOf(1001));
    assert.deepEqual([stage.closes('1008'), stage.end.reason], [1, 'too many messages']);
  });

  it('is cut after a second if it stops in the middle of a frame', () => {
    const stage = new MeteredStage();
    stage.meter.verdict = 'close';
    stage.client.send(LARGE.subarray(0, 500));
    assert.deepEqual(stage.client.frames, [closeOf(1008, 'too many messages')]);
    stage.advance(1100);
    assert.ok(stage.endpoint.writableEnded);
    stage.advance(5100);
    assert.ok(stage.isOver);
  });
});
