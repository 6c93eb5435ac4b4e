import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, l7, warningsOf } from '../../load.ts';

const KEYS = 'keys: "https://a.example/jwks", issuer: a, audience: b';
const BECAUSE = 'so it is first removed from every request of this listener. Use another name';

function text(...lines: readonly string[]): string {
  return l7('address: 127.0.0.1:1', ...lines);
}

describe('headers set by credentials', () => {
  it('cannot carry tokens, even for another route', () => {
    assert.deepEqual(
      errorsOf(text(`access: { jwt: { ${KEYS}, from: [{ header: X-User }], forward: { x-user: sub } } }`)),
      [
        `6:78: no request has a token in "x-user": access forwards something to endpoints in "x-user", ${BECAUSE}`,
      ],
    );
    const routes = [
      'routes:',
      '  - { match: { path: /a }, cluster: app, access: { forwardAuth: { url: "http://a", headers: [x-token] } } }',
      `  - { match: { path: /b }, cluster: app, access: { jwt: { ${KEYS}, from: [{ header: x-token }] } } }`,
      '  - { match: {}, cluster: app }',
    ];
    assert.equal(errorsOf(text(...routes)).length, 1);
    assert.deepEqual(errorsOf(text(...routes.map((line) => line.replace('[x-token]', '[x-group]')))), []);
  });

  it('cause a warning in routes and limits, which never match', () => {
    const access = 'access: { origins: self, forwardAuth: { url: "http://a", headers: [x-group] } }';
    const lines = [
      access,
      'limits: [{ key: { header: X-Group }, requests: 1/s }, { key: { header: x-other }, requests: 1/s }]',
      'routes:',
      '  - { match: { headers: { X-Group: a } }, cluster: app }',
      '  - { match: {}, cluster: app, limits: [{ key: { header: x-group }, requests: 1/s }] }',
    ];
    const forwards = `access forwards something to endpoints in "x-group", ${BECAUSE}`;
    assert.deepEqual(warningsOf(text(...lines)), [
      `7:16: no request has "x-group", so nothing is limited: ${forwards}`,
      `9:20: no request has "x-group": ${forwards}`,
      `10:47: no request has "x-group", so nothing is limited: ${forwards}`,
    ]);
    assert.deepEqual(warningsOf(text(...lines.slice(1))), []);
  });
});
