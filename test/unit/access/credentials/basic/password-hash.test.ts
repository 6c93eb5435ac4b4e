import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchesHash } from '../../../../../src/access/credentials/basic/password-hash.ts';

/** Made by `openssl passwd -apr1` and by Apache's `htpasswd`. */
const ENTRIES: readonly (readonly [kind: string, password: string, hash: string])[] = [
  ['apr1', '', '$apr1$r0undsAB$dipTVao9Inx6lsQ9Auu9t.'],
  ['apr1', 'a', '$apr1$r0undsAB$bzIWcZJdIAKFERlI6YkHM.'],
  ['apr1', 'secret', '$apr1$r0undsAB$q39sWL51SOrZ5PehQWe4/0'],
  ['apr1', 'pässwörd ☃', '$apr1$r0undsAB$wanKbaa6NsO6f0mt8kMOc0'],
  ['apr1', 'x'.repeat(40), '$apr1$r0undsAB$EsV8csrWinS/gwfUbsKLy.'],
  ['apr1 of htpasswd', 'secret', '$apr1$vcZqGAec$uss8BXzzeHXAdzMghu7eA/'],
  ['bcrypt', 'secret', '$2y$04$Ru8mMNyZ872rBIurP9E3HuyDyDj/j/bCByYmj1IZbi.YSIk8hWYvC'],
  ['SHA', 'secret', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='],
];

describe('an entry of an htpasswd file', () => {
  for (const [kind, password, hash] of ENTRIES) {
    it(`matches only its password: ${kind}, ${password.length} characters`, () => {
      assert.equal(matchesHash(password, hash), true);
      assert.equal(matchesHash(`${password} `, hash), false);
      assert.equal(matchesHash(password.toUpperCase(), hash), password === '');
    });
  }

  it('never matches if its kind is unknown', () => {
    for (const hash of ['secret', '$6$salt$hash', '{SSHA}x', '', '$apr1$', '$2y$']) {
      assert.equal(matchesHash('secret', hash), false, hash);
    }
  });
});
