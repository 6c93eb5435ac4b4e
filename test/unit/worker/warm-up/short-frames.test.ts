import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CLIENT_CLOSE,
  CLIENT_MESSAGE,
  CLOSE_BYTES,
  ECHO_BYTES,
  echoOf,
  isClose,
} from '../../../../src/worker/warm-up/short-frames.ts';
import { CLOSE, TEXT, decodeFrame, encodeFrame } from '../../../support/websocket/raw-frames.ts';

describe('the frames of a warm-up', () => {
  it('are frames of a client', () => {
    const message = decodeFrame(CLIENT_MESSAGE)!.frame;
    assert.deepEqual([message.opcode, message.fin, message.masked], [TEXT, true, true]);
    const close = decodeFrame(CLIENT_CLOSE)!.frame;
    assert.deepEqual(
      [close.opcode, close.fin, close.masked, [...close.payload]],
      [CLOSE, true, true, [3, 232]],
    );
    assert.deepEqual([isClose(CLIENT_MESSAGE), isClose(CLIENT_CLOSE)], [false, true]);
  });

  it('come back unmasked, for every mask', () => {
    const mask = Buffer.from([1, 2, 3, 4]);
    assert.deepEqual(echoOf(encodeFrame(TEXT, 'some text', { mask })), encodeFrame(TEXT, 'some text'));
    assert.equal(echoOf(CLIENT_MESSAGE)!.length, ECHO_BYTES);
    assert.equal(echoOf(CLIENT_CLOSE)!.length, CLOSE_BYTES);
  });

  it('come back only if they are whole', () => {
    assert.equal(echoOf(CLIENT_MESSAGE.subarray(0, -1)), null);
    assert.equal(echoOf(Buffer.concat([CLIENT_MESSAGE, CLIENT_MESSAGE])), null);
    assert.equal(echoOf(Buffer.alloc(0)), null);
  });
});
