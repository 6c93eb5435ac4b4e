import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EventStream } from '../../../../src/cli/top/event-stream.ts';

const MAX = 1000;

function read(chunks: readonly (string | Uint8Array)[]): string[] {
  const events: string[] = [];
  const stream = new EventStream((data) => events.push(data), MAX);
  for (const chunk of chunks) stream.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return events;
}

describe('an event stream', () => {
  it('gives the data of each event, and nothing of other fields and comments', () => {
    assert.deepEqual(read(['retry: 1000\n\n: hello\nid: 1\nevent: frame\ndata: {"a":1}\n\ndata:b\n\n']), [
      '{"a":1}',
      'b',
    ]);
  });

  it('joins lines of data, and takes CRLF for a line end', () => {
    assert.deepEqual(read(['data: a\r\ndata: b\r\n\r\n', 'data\n\n']), ['a\nb']);
  });

  it('gives no event before its empty line', () => {
    assert.deepEqual(read(['data: a\n']), []);
  });

  it('refuses an event that is too long, in one line or in many', () => {
    assert.throws(() => read([`data: ${'x'.repeat(MAX)}`]), /more than 1000 characters/);
    assert.throws(() => read(Array.from({ length: MAX }, () => 'data: x\n')), /more than 1000 characters/);
    assert.throws(() => read(Array.from({ length: MAX }, () => 'xx')), /more than 1000 characters/);
  });

  it('lives on comments for ever', () => {
    assert.deepEqual(read([...Array.from({ length: MAX }, () => ': still here\n'), 'data: a\n\n']), ['a']);
  });

  it('gives the same events however its bytes are cut', () => {
    const texts = fc.array(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, '')),
    );
    fc.assert(
      fc.property(texts, fc.array(fc.nat(300)), (data, cuts) => {
        const all = Buffer.from(data.map((text) => `data: ${text}\n\n`).join(''));
        const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)), all.length].sort((a, b) => a - b);
        const chunks = places.slice(1).map((place, index) => all.subarray(places[index], place));
        assert.deepEqual(read(chunks), data);
      }),
    );
  });
});
