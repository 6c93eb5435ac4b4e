import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { visibleText } from '../../../../src/page/model/visible-text.ts';

describe('text on the page', () => {
  it('shows direction marks as escapes', () => {
    assert.equal(visibleText('Zoé\u202eevil'), 'Zoé\\u202eevil');
    const marks = [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x2066, 0x2067, 0x2068, 0x2069];
    for (const code of marks) {
      const shown = `a\\u${code.toString(16).padStart(4, '0')}b`;
      assert.equal(visibleText(`a${String.fromCharCode(code)}b`), shown);
    }
  });

  it('shows controls, zero-width and unusual spaces, fillers, tags and lone surrogates as escapes', () => {
    assert.equal(visibleText('a\0\t\r\x7f\x85b'), 'a\\u0000\\u0009\\u000d\\u007f\\u0085b');
    assert.equal(visibleText('\u200b\u200d\u2060\ufeff\u00ad'), '\\u200b\\u200d\\u2060\\ufeff\\u00ad');
    assert.equal(visibleText('\u00a0\u2003\u2028\u2029'), '\\u00a0\\u2003\\u2028\\u2029');
    assert.equal(visibleText('\u3164\ufe0f\u{e0041}\ud800'), '\\u3164\\ufe0f\\u{e0041}\\ud800');
  });

  it('keeps visible characters, spaces and line breaks', () => {
    for (const text of [
      '',
      'plain',
      'two words\nand a line',
      'Zoé – 80 µs',
      'דוד',
      '山田',
      '😀',
      '\\u202e',
    ]) {
      assert.equal(visibleText(text), text);
    }
  });
});
