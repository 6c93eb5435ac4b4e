import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { printable, printableOnceParsed, readPrintable } from '../../../../src/telemetry/output/printable.ts';

const character = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.constantFrom(
    '"',
    '\\',
    '\n',
    '\r',
    '\t',
    '\b',
    '\f',
    '\u001b',
    '\u007f',
    '\u009b',
    '\u202e',
    '\u2028',
    'n',
  ),
);
const text = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''));

describe('printable text', () => {
  it('has only visible ASCII, spaces and newlines, and parses to the same JSON', () => {
    fc.assert(
      fc.property(text, (value) => {
        const line = printable(`${JSON.stringify({ value })}\n`);
        assert.match(line, /^[\x20-\x7e]*\n$/);
        assert.deepEqual(JSON.parse(line), { value });
      }),
    );
  });

  it('can be converted back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        fc.pre(!value.includes('\\u'));
        assert.equal(readPrintable(printable(value)), value);
      }),
    );
    assert.equal(readPrintable('jwt:ren\\u00e9'), 'jwt:rené');
  });

  it('stays printable after JSON parsing', () => {
    fc.assert(
      fc.property(text, (value) => {
        const line = printableOnceParsed(`${JSON.stringify({ value })}\n`);
        const parsed = JSON.parse(line) as { value: string };
        assert.match(parsed.value, /^[\x20-\x7e\n\t]*$/);
        if (/^[\x20-\x7e\n\t]*$/.test(value)) assert.equal(parsed.value, value);
      }),
    );
    assert.equal(printableOnceParsed('"\u202e\\u009b"'), '"\\\\u202e\\\\u009b"');
  });
});
