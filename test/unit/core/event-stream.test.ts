/** Server-sent events, in any pieces. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EventStreamReader } from '../../../src/core/event-stream.ts';

const MAX_LENGTH = 100_000;

function readAll(text: string, cuts: readonly number[] = []): string[] {
  const reader = new EventStreamReader(MAX_LENGTH);
  const places = [...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  let from = 0;
  return places.flatMap((to) => {
    const events = reader.read(text.slice(from, to));
    from = to;
    return events;
  });
}

describe('the reader of an event stream', () => {
  it('returns the data of events with any line end', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const lines = [
        'retry: 1000',
        'id: 7',
        'data: {"a":1}',
        '',
        ': a comment',
        'data:one',
        'data: two',
        '',
        'x',
      ];
      // A CR at the end may be followed by its LF.
      assert.deepEqual(readAll(`${lines.join(end)}${end}`), ['{"a":1}', 'one\ntwo']);
    }
  });

  it('returns nothing for events without data, and for an incomplete one', () => {
    assert.deepEqual(readAll('\n\nevent: ping\n\ndata: half\n'), []);
  });

  it('reads the same for any cut', () => {
    const line = fc.constantFrom('data: a', 'data:b', 'data', ': c', 'id: 1', '', 'data:  d');
    const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(400), { maxLength: 12 }), (parts, cuts) => {
        const whole = `${parts.flat().join('')}\n\n`;
        assert.deepEqual(readAll(whole, cuts), readAll(whole));
      }),
    );
  });

  it('refuses an event that is too long, in one piece or many', () => {
    assert.throws(() => readAll('x'.repeat(MAX_LENGTH + 1)), RangeError);
    const reader = new EventStreamReader(MAX_LENGTH);
    assert.throws(() => {
      for (;;) reader.read('data: x\n'.repeat(1000));
    }, RangeError);
  });

  it('returns an event at the CR of its empty line, and ignores the LF after it', () => {
    const reader = new EventStreamReader(MAX_LENGTH);
    assert.deepEqual(reader.read('data: a\r\n\r'), ['a']);
    assert.deepEqual(reader.read('\ndata: b\r'), []);
    assert.deepEqual(reader.read('\n\n'), ['b']);
  });

  it('accepts endless comments', () => {
    const reader = new EventStreamReader(MAX_LENGTH);
    for (let count = 0; count < MAX_LENGTH; count++) reader.read(': still here\n');
    assert.deepEqual(reader.read('data: a\n\n'), ['a']);
  });
});
