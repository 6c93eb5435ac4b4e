import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseHttpDate } from '../../../../src/l7/static/http-date.ts';

describe('parseHttpDate', () => {
  it('reads the three formats', () => {
    const time = Date.UTC(1994, 10, 6, 8, 49, 37);
    assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), time);
    assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'), time);
    assert.equal(parseHttpDate('Sun Nov  6 08:49:37 1994'), time);
  });

  it('places a two-digit year in the recent past or near future', () => {
    const year = new Date().getUTCFullYear();
    const short = (full: number): string => String(full % 100).padStart(2, '0');
    assert.equal(
      parseHttpDate(`Sunday, 06-Nov-${short(year + 40)} 08:49:37 GMT`),
      Date.UTC(year + 40, 10, 6, 8, 49, 37),
    );
    assert.equal(
      parseHttpDate(`Sunday, 06-Nov-${short(year - 40)} 08:49:37 GMT`),
      Date.UTC(year - 40, 10, 6, 8, 49, 37),
    );
  });

  it('parses every date that it can format', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        (date) => {
          assert.equal(parseHttpDate(date.toUTCString()), Math.floor(date.getTime() / 1000) * 1000);
        },
      ),
    );
  });

  it('ignores other text', () => {
    for (const text of [
      '',
      '0',
      '1994',
      '1994-11-06T08:49:37Z',
      'Sun, 06 Nov 1994 08:49:37',
      'Sun, 06 Nov 1994 08:49:37 UTC',
      'Sun, 06 Nov 1994 08:49:37 +0100',
      'sun, 06 nov 1994 08:49:37 gmt',
      'Sun, 6 Nov 1994 08:49:37 GMT',
      ' Sun, 06 Nov 1994 08:49:37 GMT',
      'Sun, 06 Foo 1994 08:49:37 GMT',
    ]) {
      assert.equal(parseHttpDate(text), null, text);
    }
  });
});
