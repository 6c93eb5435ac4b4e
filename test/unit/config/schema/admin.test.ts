import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINIMAL, errorsOf, load, warningsOf } from '../load.ts';

const admin = (keys: string): string => `admin: { ${keys} }\n${MINIMAL}`;

describe('the keys of the tap', () => {
  it('allow no taps by default', () => {
    const { tap, tapRedact } = load(MINIMAL).config.admin;
    assert.deepEqual({ tap, tapRedact }, { tap: 'off', tapRedact: [] });
  });

  it('set the level and the rules, also from the environment', () => {
    const text = admin(`tap: headers, tapRedact: [$..password, '/\\d{16}/i']`);
    assert.deepEqual(load(text).config.admin.tapRedact, ['$..password', '/\\d{16}/i']);
    assert.equal(load(text).config.admin.tap, 'headers');
    const { tap, tapRedact } = load(text, {
      env: { SLUICE_ADMIN_TAP: 'off', SLUICE_ADMIN_TAPREDACT: '[$.a]' },
    }).config.admin;
    assert.deepEqual({ tap, tapRedact }, { tap: 'off', tapRedact: ['$.a'] });
  });

  it('refuse other levels and bad rules, and say where', () => {
    for (const [keys, message] of [
      ['tap: all', '1:15: tap: "all" is not one of off, headers, payload'],
      ['tapRedact: 5', '1:21: tapRedact: 5 is not a list: write a list of rules'],
      [
        'tapRedact: [$.a, password]',
        '1:27: tapRedact: "password" is not a rule of redaction: ' +
          'write a JSON path such as $..password, or an expression such as /[0-9]{16}/',
      ],
      [
        `tapRedact: ['$.a[']`,
        '1:22: tapRedact: "$.a[" is not a rule of redaction: invalid JSON path: unclosed bracketed selection ' +
          'at character 5: write a JSON path of RFC 9535, such as $.user.email or $..password',
      ],
      ['tapRedact: [5]', '1:22: tapRedact: 5 is not text: put it in quotes'],
    ] as const) {
      assert.deepEqual(errorsOf(admin(keys)), [message]);
    }
    const many = Array.from({ length: 65 }, () => '$.a').join(', ');
    assert.match(
      errorsOf(admin(`tapRedact: [${many}]`))[0]!,
      /the list has 65 rules, and 64 are allowed: join/,
    );
  });

  it('warn of a tap without a token', () => {
    assert.deepEqual(warningsOf(admin('tap: payload')), [
      '1:15: no tap is possible without a token: set admin.token, or SLUICE_ADMIN_TOKEN in the environment',
    ]);
    assert.deepEqual(warningsOf(admin('tap: payload, token: sixteen-characters')), []);
  });
});
