import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFormat } from '../../../../src/config/syntax/format-description.ts';
import { duration, nullable, oneOf, pattern, toggle } from '../../../../src/config/syntax/formats.ts';

describe('a format', () => {
  it('describes its type and range', () => {
    assert.deepEqual(describeFormat(duration({ min: 10, max: 2000, zero: 'never' })), {
      type: 'duration',
      min: 10,
      max: 2000,
      zero: 'never',
    });
    assert.deepEqual(describeFormat(oneOf('a', 'b')), { type: 'word', words: ['a', 'b'] });
    assert.deepEqual(describeFormat(toggle), { type: 'boolean' });
  });

  it('is described by the format inside of it', () => {
    const name = pattern(/^x/, 'a name', 'begin with x');
    const description = { type: 'text', what: 'a name', remedy: 'begin with x', pattern: '^x' };
    assert.deepEqual(describeFormat(nullable(name)), description);
    assert.deepEqual(
      describeFormat((value) => name(value).toLowerCase()),
      description,
    );
  });

  it('has no description if it knows none', () => assert.equal(describeFormat(String), null));
});
