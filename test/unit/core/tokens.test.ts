import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SUBPROTOCOL, isToken } from '../../../src/core/tokens.ts';

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

describe('characters', () => {
  it('make a token or not as RFC 9110 section 5.6.2 says', () => {
    for (let code = 0; code < 0x250; code++) {
      const character = String.fromCharCode(code);
      assert.equal(isToken(character), TOKEN_CHARACTERS.includes(character), JSON.stringify(character));
      assert.equal(isToken(`a${character}`), TOKEN_CHARACTERS.includes(character), JSON.stringify(character));
    }
    assert.equal(isToken(''), false);
  });

  it('make a subprotocol unless they end or split a name', () => {
    const refused = ' ",;\\';
    for (let code = 0; code < 0x250; code++) {
      const character = String.fromCharCode(code);
      const allowed = code > 0x20 && code < 0x7f && !refused.includes(character);
      assert.equal(SUBPROTOCOL.test(character), allowed, JSON.stringify(character));
      assert.equal(SUBPROTOCOL.test(`a${character}`), allowed, JSON.stringify(character));
    }
    assert.equal(SUBPROTOCOL.test(''), false);
  });
});
