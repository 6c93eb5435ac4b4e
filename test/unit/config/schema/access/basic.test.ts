import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, l7, l7Of, load, warningsOf } from '../../load.ts';

const FILES = { users: 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n' };

function text(basic: string, ...more: readonly string[]): string {
  return l7(`access: { origins: [self], basic: ${basic} }`, ...more);
}

describe('passwords', () => {
  it('have a realm', () => {
    const { access } = l7Of(load(text('{ file: users, realm: the staff }'), { files: FILES }));
    assert.equal(access?.basic?.realm, 'the staff');
    for (const bad of ['"a\\"b"', '"a\\\\b"', 'ü', '" a"', '""']) {
      assert.match(
        errorsOf(text(`{ file: users, realm: ${bad} }`), { files: FILES })[0] ?? '',
        /is not a realm/,
      );
    }
  });

  it('need a file', () => {
    assert.deepEqual(errorsOf(text('{ realm: x }')), ['5:32: "basic" needs "file"']);
    assert.match(errorsOf(text('{ file: nobody }'))[0] ?? '', /"nobody" cannot be read: file not found/);
  });

  it('cause a warning if others could read them', () => {
    const warnings = (...more: readonly string[]): string[] =>
      warningsOf(text('{ file: users }', ...more), { files: FILES });
    assert.deepEqual(warnings('address: ":80"'), [
      '5:32: passwords cross the network unencrypted, because this listener has no tls: set tls, or list the TLS proxy ' +
        'in front in trustedProxies',
    ]);
    for (const host of ['127.0.0.1', '127.9.9.9', '[::1]', 'localhost'])
      assert.deepEqual(warnings(`address: "${host}:80"`), []);
    assert.deepEqual(warnings('address: ":80"', 'trustedProxies: [10.0.0.1]'), []);
  });

  it('cause a warning if any page could use them', () => {
    const routes = [
      'routes:',
      '  - { match: { path: /a }, cluster: app, access: { origins: [self] } }',
      '  - { match: { path: /b }, respond: {} }',
      '  - { match: { path: /c }, cluster: app, upgrade: never }',
    ];
    const warning =
      'browsers send passwords and cookies even with WebSockets opened by pages of other sites: list the allowed sites in ' +
      '"origins"';
    const listener = 'access: { basic: { file: users } }';
    // Its server gets the cookies.
    for (const [access, count] of [
      ["forwardAuth: 'http://127.0.0.1:9000/'", 1],
      ["forwardAuth: 'http://127.0.0.1:9000/', origins: self", 0],
    ] as const) {
      assert.equal(
        warningsOf(l7(`access: { ${access} }`)).filter((each) => each.includes(warning)).length,
        count,
      );
    }
    assert.deepEqual(warningsOf(l7(listener, ...routes), { files: FILES }), []);
    assert.deepEqual(
      warningsOf(
        l7(
          listener,
          ...routes,
          '  - { match: { path: /d }, cluster: app }',
          '  - { match: {}, cluster: app }',
        ),
        { files: FILES },
      ),
      [`5:5: ${warning}`],
    );
    assert.deepEqual(
      warningsOf(l7(...routes, '  - { match: {}, cluster: app, access: { basic: { file: users } } }'), {
        files: FILES,
      }),
      [`9:36: ${warning}`],
    );
  });
});
