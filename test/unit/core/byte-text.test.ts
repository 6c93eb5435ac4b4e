import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromByteText, toByteText } from '../../../src/core/byte-text.ts';

describe('a byte text', () => {
  it('has one character for each byte of UTF-8', () => {
    assert.equal(toByteText('caf\u00e9 \ud83d\udc4b'), 'caf\xc3\xa9 \xf0\x9f\x91\x8b');
    assert.equal(toByteText('plain'), 'plain');
  });

  it('never adds a control character', () => {
    assert.doesNotMatch(toByteText('\u010a\u010d\u560a\u0100'), /[\x00-\x1f]/);
  });

  it('is decoded as UTF-8, for any bytes', () => {
    assert.equal(fromByteText(toByteText('caf\u00e9 \u2028')), 'caf\u00e9 \u2028');
    assert.equal(fromByteText('caf\xe9'), 'caf\ufffd');
    assert.equal(fromByteText('plain'), 'plain');
  });
});
