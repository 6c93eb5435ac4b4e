import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KeyReader } from '../../../../src/cli/terminal/keys.ts';

const read = (...texts: string[]): string[] => {
  const reader = new KeyReader();
  return texts.flatMap((text) => reader.push(text));
};

describe('keys', () => {
  it('are read as characters, or as names if not printable', () => {
    assert.deepEqual(read('qJ/ ü中'), ['q', 'J', '/', ' ', 'ü', '中']);
    assert.deepEqual(read('\t\r\u007f\u0003\u001a'), ['tab', 'enter', 'backspace', 'ctrl-c', 'ctrl-z']);
  });

  it('are recognised in both cursor key modes, even in pieces', () => {
    assert.deepEqual(read('\u001b[A\u001bOB', '\u001b', '[', '5', '~'), ['up', 'down', 'pageup']);
    assert.deepEqual(read('\u001b[H\u001b[4~\u001b[Z'), ['home', 'end', 'backtab']);
  });

  it('exclude unknown escape sequences', () => {
    assert.deepEqual(read('\u001b[1;5C\u001b[15~\u001b[<0;1;1Mq'), ['q']);
  });

  it('include Esc if nothing follows it', () => {
    const reader = new KeyReader();
    assert.deepEqual(reader.push('\u001b'), []);
    assert.equal(reader.waits, true);
    assert.deepEqual(reader.flush(), ['escape']);
    assert.equal(reader.waits, false);
    assert.deepEqual(reader.push('A'), ['A']);
  });

  it('include Esc at once if another key follows it', () => {
    assert.deepEqual(read('\u001b\u001b[A', '\u001bq'), ['escape', 'up', 'escape', 'q']);
  });

  it('do not include an endless sequence', () => {
    assert.deepEqual(read('\u001b[', '1'.repeat(1000), 'q'), ['q']);
  });

  it('are printable or named, whatever the input and its pieces', () => {
    const pieces = fc.array(
      fc.string({
        unit: fc.constantFrom('\u001b', '[', 'O', '1', ';', '~', 'A', '\u0000', '\u009b', '\u202e', 'é'),
      }),
    );
    fc.assert(
      fc.property(pieces, (texts) => {
        for (const key of read(...texts)) assert.match(key, /^(?:[\x20-\x7eé]|[a-z-]{2,})$/u);
      }),
    );
  });
});
