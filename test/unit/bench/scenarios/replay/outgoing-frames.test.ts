import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  EventLog,
  EventLogWriter,
  SEND_BINARY,
  SEND_PING,
  SEND_TEXT,
} from '../../../../../bench/recorded/event-log.ts';
import { OutgoingFrames } from '../../../../../bench/scenarios/replay/outgoing-frames.ts';
import { RandomPool } from '../../../../../src/core/random-pool.ts';
import { receiveAsServer } from '../../../wire/frames/foreign-codec.ts';

describe('the frames of a recorded client', () => {
  it('carry the recorded payload, or printable characters of its size if it was not recorded', () => {
    const writer = new EventLogWriter();
    for (const kind of [SEND_TEXT, SEND_BINARY, SEND_PING]) {
      writer.add({ kind, time: 0, size: 2, payload: Buffer.from('ä') }, -1);
      writer.add({ kind, time: 0, size: 125, payload: null }, -1);
    }
    writer.add({ kind: SEND_TEXT, time: 0, size: 200_000, payload: null }, -1);
    const frames = new OutgoingFrames(new EventLog(writer.memory()), new RandomPool());
    const received = Array.from({ length: writer.count }, (_, event) => {
      const [message, ...more] = receiveAsServer(Buffer.from(frames.frameOf(event)));
      assert.equal(more.length, 0);
      return message!;
    });
    assert.deepEqual(
      received.map(({ kind, data, isBinary }) => `${kind} ${kind === 'ping' ? '' : isBinary} ${data.length}`),
      [
        'message false 2',
        'message false 125',
        'message true 2',
        'message true 125',
        'ping  2',
        'ping  125',
        'message false 200000',
      ],
    );
    for (const index of [0, 2, 4]) assert.equal(received[index]!.data.toString(), 'ä');
    for (const index of [1, 3, 5, 6]) assert.match(received[index]!.data.toString(), /^[ -~]+$/);
  });
});
