import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { slowestOf } from '../../../../../src/access/credentials/basic/hash-cost.ts';

const BCRYPT_4 = '$2y$04$Ru8mMNyZ872rBIurP9E3HuyDyDj/j/bCByYmj1IZbi.YSIk8hWYvC';
const BCRYPT_10 = BCRYPT_4.replace('$04$', '$10$');
const APR1 = '$apr1$r0undsAB$q39sWL51SOrZ5PehQWe4/0';
const SHA1 = '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';

describe('the slowest hash', () => {
  it('is bcrypt of the highest cost, then apr1', () => {
    assert.equal(slowestOf([SHA1, APR1, BCRYPT_4, BCRYPT_10, SHA1]), BCRYPT_10);
    assert.equal(slowestOf([SHA1, APR1, BCRYPT_4.replace('$2y$', '$2b$')])?.slice(0, 4), '$2b$');
    assert.equal(slowestOf([SHA1, APR1]), APR1);
    assert.equal(slowestOf([SHA1]), SHA1);
    assert.equal(slowestOf([]), null);
  });
});
