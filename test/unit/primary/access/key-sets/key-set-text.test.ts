import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keysIn } from '../../../../../src/primary/access/key-sets/key-set-text.ts';

describe('the text of a key set', () => {
  it('has a number of keys', () => {
    assert.equal(keysIn('{"keys":[{"kty":"RSA"},{"kty":"EC"},null,{"kty":1},"key"]}'), 2);
    assert.equal(keysIn('{"keys":[{"kty":"RSA"}],"other":1}'), 1);
  });

  it('is refused if it is no key set, or has no usable key', () => {
    for (const [text, message] of [
      ['', 'not JSON'],
      ['<html></html>', 'not JSON'],
      ['{"keys":[', 'not JSON'],
      ['null', 'not a key set: "keys" is missing'],
      ['[]', 'not a key set: "keys" is missing'],
      ['{"keys":{}}', 'not a key set: "keys" is missing'],
      ['{"keys":[]}', 'the key set has no keys'],
      ['{"keys":[{}]}', 'the key set has no keys'],
    ] as const) {
      assert.throws(() => keysIn(text), { message }, text);
    }
  });
});
