import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CLOSE, closeBody } from '../../../../support/websocket/raw-frames.ts';
import { FakeMeter } from '../fake-meter.ts';
import { Stage } from './session-stage.ts';

describe('a client of whole messages', () => {
  it('has each message counted with its payload', () => {
    const meter = new FakeMeter();
    const stage = new Stage({ meter });
    stage.message(10);
    stage.message(0);
    assert.deepEqual(meter.reads, [
      [1, 10],
      [1, 0],
    ]);
  });

  it('is closed by its limit, and the endpoint does not get the message', () => {
    const meter = new FakeMeter();
    const stage = new Stage({ meter });
    meter.verdict = 'close';
    stage.message(10);
    stage.message(10);
    assert.deepEqual([stage.client.ended, stage.client.reason], ['1008', 'too many messages']);
    assert.deepEqual(stage.endpoint.frames, [[CLOSE, closeBody(1001).toString('latin1')]]);
    assert.equal(meter.reads.length, 1);
    assert.equal(stage.closes('1008'), 1);
  });

  it('cannot be slowed down', () => {
    const meter = new FakeMeter();
    const stage = new Stage({ meter });
    meter.verdict = 'slow';
    stage.message(10);
    stage.message(10);
    assert.equal(stage.endpoint.frames.length, 2);
    assert.deepEqual(meter.waiting, []);
  });
});
