import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { errorsOf, inDirectory, l7, l7Of, load } from '../../load.ts';

const TEXT = l7('address: 127.0.0.1:1', 'access: { origins: [self], basic: { file: users } }');
const SALTED = 'abcdefghijklmnopqrstuv0123456789ABCDEFGHIJKLMNOPQRSTU';
const BCRYPT = `$2y$10$${SALTED}`;
const APR1 = '$apr1$saltsalt$0123456789abcdefghijkl';
const SHA = '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=';

function error(users: string): string {
  const [found = ''] = errorsOf(TEXT, { files: { users } });
  return found.replace(/^6:\d+: file: /, '');
}

describe('a file of users', () => {
  it('has hashes of bcrypt, apr1 and SHA', () => {
    const users = `\ufeff# staff\n\nalice:${BCRYPT}\r\nbob:${APR1}\ncarol:${SHA}:a comment\nbücher leser:$2b$04$${SALTED}\n`;
    const loaded = load(TEXT, { files: { users } });
    const basic = l7Of(loaded).access?.basic;
    assert.equal(basic?.file, inDirectory('users'));
    assert.equal(basic.realm, 'restricted');
    assert.deepEqual(
      [...basic.users],
      [
        ['alice', BCRYPT],
        ['bob', APR1],
        ['carol', SHA],
        ['bücher leser', `$2b$04$${SALTED}`],
      ],
    );
    assert.ok(loaded.files.includes(inDirectory('users')));
  });

  it('has no slow hashes', () => {
    assert.equal(
      error(`alice:$2y$13$${SALTED}`),
      'line 1 of "users": the password of "alice" has the bcrypt cost 13, but at most 12 is allowed, because every wrong ' +
        'password costs the time of a right one: hash it again with htpasswd -B -C 10',
    );
    assert.equal(error(`alice:$2y$12$${SALTED}`), '');
    assert.match(error(`alice:$2y$03$${SALTED}`), /bcrypt cost 3, which is invalid/);
  });

  it('names other hash formats in its errors, without the password', () => {
    const forms = [
      ['geheim', 'is in plain text'],
      ['rqXexS6ZhobKA', 'is in plain text or hashed by crypt'],
      ['$1$salt$0123456789abcdefghijkl', 'is hashed by MD5-crypt'],
      ['$5$salt$hash', 'is hashed by SHA-256-crypt'],
      ['$6$salt$hash', 'is hashed by SHA-512-crypt'],
      ['$y$j9T$salt$hash', 'is hashed by yescrypt or scrypt'],
      ['$argon2id$v=19$x', 'is hashed by Argon2'],
      ['$2y$10$short', 'has a damaged bcrypt hash'],
      [`$2x$10$${SALTED}`, 'has a damaged bcrypt hash'],
      ['$apr1$salt$short', 'has a damaged apr1 hash'],
      ['{SHA}short', 'has a damaged SHA hash'],
      ['{SSHA}0123456789', 'has a hash of another scheme'],
      ['', 'is empty'],
    ] as const;
    for (const [hash, fault] of forms) {
      assert.equal(
        error(`# x\nalice:${hash}`),
        `line 2 of "users": the password of "alice" ${fault}: hash it with htpasswd -B (bcrypt); apr1 and SHA ` +
          'are accepted too',
      );
    }
    assert.match(error('alice:ge:heim'), /is in plain text \(a hash has no colon\)/);
  });

  it('names invalid lines', () => {
    assert.equal(error('alice'), 'line 1 of "users" has no colon: write user:hash, as htpasswd -B does');
    assert.equal(error(`:${SHA}`), 'line 1 of "users" has no user before the colon: write user:hash');
    assert.match(error(`a\u0000:${SHA}`), /has a user that is not text in UTF-8/);
    assert.match(error(`${'a'.repeat(256)}:${SHA}`), /has a user of more than 255 bytes/);
    assert.equal(
      error(`alice:${SHA}\nalice:${APR1}`),
      'line 2 of "users" has the user "alice" again: keep one of the lines',
    );
    assert.equal(error('# nobody\n'), '"users" has no user: add one with htpasswd -B users USER');
  });

  it('never quotes the text after a colon', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{8,40}$/), (password) => {
        if (/^["\\]|^ | $/.test(password)) return;
        const found = error(`alice:${password}`);
        assert.ok(found === '' || !found.includes(password), found);
      }),
      { numRuns: 200 },
    );
  });
});
