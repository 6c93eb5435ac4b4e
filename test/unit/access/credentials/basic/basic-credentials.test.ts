import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readCredentials } from '../../../../../src/access/credentials/basic/basic-credentials.ts';
import type { RequestHead } from '../../../../../src/wire/http/request-head.ts';

function headWith(...values: readonly string[]): RequestHead {
  return {
    method: 'GET',
    path: '/',
    query: '',
    headers: values.flatMap((value) => ['authorization', value]),
  };
}

function basic(text: string | Uint8Array): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

describe('basic credentials', () => {
  it('are split at the first colon', () => {
    assert.deepEqual(readCredentials(headWith(basic('alice:a:b'))), { user: 'alice', password: 'a:b' });
    assert.deepEqual(readCredentials(headWith(basic('josé:pä☃'))), { user: 'josé', password: 'pä☃' });
    assert.deepEqual(readCredentials(headWith(basic(':'))), { user: '', password: '' });
  });

  it('allow any case of the scheme, extra spaces and no padding', () => {
    const expected = { user: 'a', password: 'b' };
    for (const value of ['BASIC YTpi', 'basic   YTpi'])
      assert.deepEqual(readCredentials(headWith(value)), expected);
    assert.deepEqual(readCredentials(headWith('Basic YTpiYw')), { user: 'a', password: 'bc' });
    assert.deepEqual(readCredentials(headWith('Basic YTpiYw==')), { user: 'a', password: 'bc' });
  });

  it('are missing without the header or with another scheme', () => {
    assert.equal(readCredentials(headWith()), undefined);
    for (const value of ['Bearer YTpi', 'BasicYTpi', 'Basic', '']) {
      assert.equal(readCredentials(headWith(value)), undefined, value);
    }
  });

  const UNREADABLE: readonly (readonly [why: string, value: string])[] = [
    ['no colon', basic('alice')],
    ['a character outside of base64', 'Basic YTp-'],
    ['a character of base64url', 'Basic YTp_YQ'],
    ['wrong padding', 'Basic YTpiYw='],
    ['surplus bits', 'Basic YTpiYx=='],
    ['padding inside', 'Basic YTpi=YTpi'],
    ['a second token', 'Basic YTpi YTpi'],
    ['bytes that are not UTF-8', basic(Buffer.from('a:\xe4', 'latin1'))],
    ['a NUL', basic('a:b\0c')],
    ['a line break', basic('a:b\nc')],
    ['too many bytes', basic(`a:${'x'.repeat(1023)}`)],
    ['far too many bytes', basic(`a:${'x'.repeat(100_000)}`)],
  ];
  for (const [why, value] of UNREADABLE) {
    it(`are malformed with ${why}`, () => assert.equal(readCredentials(headWith(value)), null));
  }

  it('are malformed in two header lines', () => {
    assert.equal(readCredentials(headWith(basic('a:b'), basic('a:b'))), null);
  });

  it('round-trip any text, and never throw for other values', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 100 })
      .filter((each) => !/[\x00-\x1f\x7f]/.test(each));
    fc.assert(
      fc.property(text, text, fc.string(), (user, password, noise) => {
        if (!user.includes(':')) {
          assert.deepEqual(readCredentials(headWith(basic(`${user}:${password}`))), { user, password });
        }
        readCredentials(headWith(`Basic ${noise}`));
      }),
    );
  });
});
