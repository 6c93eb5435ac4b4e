import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventLog, EventLogWriter, type RecordedEvent } from '../../../../bench/recorded/event-log.ts';

describe('the event log', () => {
  it('keeps thousands of events and their payloads as it grows', () => {
    const writer = new EventLogWriter();
    const count = 5000;
    const eventAt = (index: number): RecordedEvent => ({
      kind: index % 9,
      time: index / 8,
      size: index % 3 === 0 ? 7 : 40,
      payload: index % 3 === 0 ? null : Buffer.alloc(40, index),
    });
    const lasts = [-1, -1];
    for (let index = 0; index < count; index++) {
      lasts[index % 2] = writer.add(eventAt(index), lasts[index % 2]!);
    }
    const log = new EventLog(structuredClone(writer.memory()));
    let seen = 0;
    for (const first of [0, 1]) {
      for (let event = first; event >= 0; event = log.next(event)) {
        const { kind, time, size, payload } = eventAt(event);
        assert.deepEqual([log.kind(event), log.time(event), log.size(event)], [kind, time, size]);
        assert.deepEqual(log.payload(event), payload);
        seen++;
      }
    }
    assert.equal(seen, count);
    assert.equal(writer.count, count);
  });
});
