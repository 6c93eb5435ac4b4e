import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasControlCharacter, safeFieldValue } from '../../../../src/wire/http/field-value.ts';

describe('a value for a header line', () => {
  it('is unchanged if it has only visible bytes, spaces and tabs', () => {
    for (const value of ['', 'a b\tc', '"é"; q=1', '\x80\xff']) assert.equal(safeFieldValue(value), value);
  });

  it('gets spaces for characters that could end or split the line', () => {
    assert.equal(safeFieldValue('a\r\nX: y'), 'a  X: y');
    assert.equal(safeFieldValue('a\0b\x7fc\u{100}d'), 'a b c d');
  });

  it('has a control character if one could end or split the line', () => {
    for (let code = 0; code < 0x250; code++) {
      const control = (code < 0x20 && code !== 9) || code === 0x7f;
      assert.equal(hasControlCharacter(`a${String.fromCharCode(code)}b`), control, String(code));
    }
  });
});
