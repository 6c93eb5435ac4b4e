import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { alternativesOf, byKind } from '../../../../scripts/schema/forms.ts';
import type { FormatDescription } from '../../../../src/config/syntax/format-description.ts';

const OFF: FormatDescription = { type: 'off' };

/** Returns which values the schema of these forms accepts. */
function accepted(forms: readonly FormatDescription[], values: readonly unknown[]): readonly unknown[] {
  const ajv = new Ajv({ allowUnionTypes: true });
  ajv.addKeyword('errorMessage');
  const validate = ajv.compile(byKind(alternativesOf(forms, null, false)));
  return values.filter((value) => validate(value));
}

describe('the schema of', () => {
  it('a duration has units, and takes a bare 0 only if 0 is in the range', () => {
    const values = ['5s', '1.5h', '250ms', '0', 0, 5, '5', '5 s', '5x', '${IDLE}'];
    assert.deepEqual(accepted([{ type: 'duration', min: 10, max: 100, zero: 'never' }], values), [
      ...['5s', '1.5h', '250ms', '0', 0, '${IDLE}'],
    ]);
    assert.ok(!accepted([{ type: 'duration', min: 10, max: 100 }], values).includes(0));
  });

  it('a size takes a number of bytes in its range', () => {
    const values = ['64KiB', '1.5MB', '10', 512, 8, '64KB/s', '64Q'];
    assert.deepEqual(accepted([{ type: 'size', min: 10, max: 1024 }], values), ['64KiB', '1.5MB', '10', 512]);
  });

  it('rates has a unit of time', () => {
    assert.deepEqual(accepted([{ type: 'rate', min: 1, max: 9 }], ['5/s', '1/h', '5', 5, '5/d']), [
      '5/s',
      '1/h',
    ]);
    assert.deepEqual(accepted([{ type: 'byte rate', min: 1, max: 9 }], ['5B/s', '1MiB/s', '5/m', 0]), [
      ...['5B/s', '1MiB/s'],
    ]);
  });

  it('a number has bounds, and a 0 outside them if it means something', () => {
    const form: FormatDescription = { type: 'integer', min: 5, max: 9, zero: 'no limit' };
    assert.deepEqual(accepted([form], [0, 4, 5, 9, 10, 5.5, '5', '${N}']), [0, 5, 9, '${N}']);
    assert.deepEqual(accepted([{ type: 'constant', values: [301, 308] }], [301, 302]), [301]);
  });

  it('words takes a word of digits as a number', () => {
    assert.deepEqual(accepted([{ type: 'word', words: ['1.2', '1.3'] }], ['1.2', 1.3, 1.1, 'x', '${V}']), [
      ...['1.2', 1.3, '${V}'],
    ]);
  });

  it('words beside another form takes both', () => {
    const auto: FormatDescription = { type: 'word', words: ['auto'] };
    const threads: FormatDescription = { type: 'either', of: [auto, { type: 'integer', min: 1, max: 4 }] };
    assert.deepEqual(accepted([threads], ['auto', 'autos', 1, 5]), ['auto', 1]);
    assert.deepEqual(accepted([{ type: 'boolean' }, OFF], [true, false, 'off', 'on']), [true, false, 'off']);
  });

  it('a text keeps a pattern, unless validators compile it differently', () => {
    const text = { type: 'text', what: 'a path' } as const;
    assert.deepEqual(accepted([{ ...text, pattern: '^/' }], ['/a', 'a', 5, 'x${PATH}']), ['/a', 'x${PATH}']);
    assert.deepEqual(accepted([{ ...text, pattern: String.raw`^[\w-.]$` }], ['any text', 5]), ['any text']);
  });

  it('a mapping of the user’s own keys has values of one form', () => {
    const values: FormatDescription = { type: 'number', min: 0, max: 1 };
    assert.deepEqual(
      accepted([{ type: 'pairs', values, lists: false, files: false }], [{ a: 0.5 }, { a: 2 }, { a: [1] }]),
      [{ a: 0.5 }],
    );
    assert.deepEqual(
      accepted([{ type: 'pairs', values, lists: true, files: false }], [{ a: [0, 1] }, { a: [] }]),
      [{ a: [0, 1] }],
    );
  });

  it('an optional value takes null', () => {
    assert.deepEqual(accepted([OFF, { type: 'empty' }], ['off', false, null, true]), ['off', false, null]);
  });
});

describe('an alternative of a list or a mapping', () => {
  it('says what to write for off', () => {
    const [off] = alternativesOf([OFF], 'list', false);
    assert.equal(off?.errorMessage, 'Write a list, or off.');
  });
});

describe('the schema of a value that is a mapping or a scalar', () => {
  const mapping = { type: 'object', properties: { rate: { type: 'string' } }, additionalProperties: false };
  const rate = { type: 'string', errorMessage: 'Write a rate.' };

  it('keeps the mapping apart, so that editors blame the alternative that is meant', () => {
    assert.deepEqual(byKind([mapping, rate, { type: 'null' }]), {
      if: { type: ['object', 'null'] },
      then: { ...mapping, type: ['object', 'null'] },
      else: rate,
    });
  });

  it('has alternatives if a scalar may be a mapping, too', () => {
    const pairs = { type: 'object', additionalProperties: true };
    assert.ok('anyOf' in byKind([mapping, pairs]));
    assert.deepEqual(byKind([mapping]), mapping);
  });
});
