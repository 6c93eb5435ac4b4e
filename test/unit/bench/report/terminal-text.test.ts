import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { terminalText } from '../../../../bench/report/terminal-text.ts';

describe('a report on a terminal', () => {
  it('escapes control characters in names from recordings and servers', () => {
    assert.equal(
      terminalText('a\u001b[2J \r\u009b \u202e\u2028 \u{e0041}'),
      'a\\u001b[2J \\u000d\\u009b \\u202e\\u2028 \\u{e0041}',
    );
  });

  it('keeps line breaks and non-ASCII units', () => {
    assert.equal(terminalText('12 \u00b5s, \u00e9\n  next\n'), '12 \u00b5s, \u00e9\n  next\n');
  });
});
