import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isChunked, isContentLength } from '../../../../src/wire/http/framing-headers.ts';

describe('framing headers', () => {
  it('accepts a length of digits that a double holds exactly', () => {
    for (const value of ['0', '00', '5', '9'.repeat(15)]) {
      assert.ok(isContentLength(value), value);
      assert.ok(Number.isSafeInteger(Number(value)), value);
    }
  });

  it('refuses a length that two readers could read differently', () => {
    for (const value of ['', '-1', '+1', '1 ', '0x5', '1e3', '5,5', '1.0', '9'.repeat(16), '٥'])
      assert.ok(!isContentLength(value), value);
  });

  it('accepts exactly chunked, in any case', () => {
    for (const value of ['chunked', 'Chunked', 'CHUNKED']) assert.ok(isChunked(value), value);
    for (const value of ['', 'gzip, chunked', 'chunked, chunked', ' chunked', 'chun\u212aed'])
      assert.ok(!isChunked(value), value);
  });
});
