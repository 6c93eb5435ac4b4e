import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { symbolsOf } from '../../../../src/cli/terminal/line.ts';
import { visible } from '../../../../src/cli/terminal/visible.ts';

const UNICODE = symbolsOf({ LANG: 'en_US.UTF-8' });
const ASCII = symbolsOf({ LC_ALL: 'C' });

describe('text on a terminal', () => {
  it('shows letters of any script, and counts wide letters and emoji as two columns', () => {
    assert.equal(visible('Grüße, мир', 80, UNICODE), 'Grüße, мир');
    assert.equal(visible('日本語', 6, UNICODE), '日本語');
    assert.equal(visible('日本語', 5, UNICODE), '日本…');
    assert.equal(visible('日本語', 4, UNICODE), '日…');
    assert.equal(visible('ab👋', 4, UNICODE), 'ab👋');
    assert.equal(visible('ab👋', 3, UNICODE), 'ab…');
    assert.equal(visible('ﾊﾝｶｸ', 4, UNICODE), 'ﾊﾝｶｸ');
  });

  it('escapes characters that control the terminal, or hide or reverse text', () => {
    for (const [text, written] of [
      ['\u001b[2J', '\\u001b[2J'],
      ['\u009b2J', '\\u009b2J'],
      ['a\nb\r\tc', 'a\\nb\\r\\tc'],
      ['\u202eevil', '\\u202eevil'],
      ['a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
      ['\u00a0\u2028', '\\u00a0\\u2028'],
      ['\ud800', '\\ud800'],
      ['\u{e0041}', '\\u{e0041}'],
      ['\u0007\u0000', '\\u0007\\u0000'],
    ] as const) {
      assert.equal(visible(text, 80, UNICODE), written);
    }
  });

  it('allows two combining marks on a character, and none at the start', () => {
    assert.equal(visible('e\u0301', 1, UNICODE), 'e\u0301');
    assert.equal(visible('\u0301e', 80, UNICODE), '\\u0301e');
    assert.equal(visible('e\u0301\u0302\u0303', 80, UNICODE), 'e\u0301\u0302\\u0303');
    assert.equal(visible('\u2764\ufe0f', 1, UNICODE), '\u2764');
  });

  it('ends with an ellipsis if it does not fit or if more follows', () => {
    assert.equal(visible('abcdef', 6, UNICODE), 'abcdef');
    assert.equal(visible('abcdef', 5, UNICODE), 'abcd…');
    assert.equal(visible('abc', 5, UNICODE, true), 'abc…');
    assert.equal(visible('abcde', 5, UNICODE, true), 'abcd…');
    assert.equal(visible('ab\u001b', 7, UNICODE), 'ab…');
    assert.equal(visible('abc', 0, UNICODE, true), '');
    assert.equal(visible('', 5, UNICODE), '');
  });

  it('is ASCII if the terminal shows nothing else', () => {
    assert.equal(visible('Grüße 👋', 80, ASCII), 'Gr\\u00fc\\u00dfe \\u{1f44b}');
    assert.equal(visible('abcdef', 3, ASCII), 'ab~');
  });

  it('never takes more columns than allowed, whatever it contains', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.integer({ min: -1, max: 40 }),
        fc.boolean(),
        (text, width, more) => {
          const ascii = visible(text, width, ASCII, more);
          assert.match(ascii, /^[ -~]*$/);
          assert.ok(ascii.length <= Math.max(0, width));
          const unicode = visible(text, width, UNICODE, more);
          assert.doesNotMatch(unicode, /[\p{C}\p{Zl}\p{Zp}]/u);
          assert.ok(unicode.replaceAll(/\p{M}/gu, '').length <= 2 * Math.max(0, width));
        },
      ),
    );
  });
});
