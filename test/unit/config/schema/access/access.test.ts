import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessSettings } from '../../../../../src/config/types/access.ts';
import { errorsOf, l7, l7Of, load, warningsOf } from '../../load.ts';

const FILES = { 'users.htpasswd': 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n' };
const LISTENER = 'access: { deny: [10.0.0.1], origins: [self], basic: { file: users.htpasswd } }';

/** Returns the access of the listener, and that of a route with some settings. */
function read(listener: string, route: string): (AccessSettings | null)[] {
  const text = l7(listener, `routes: [{ match: {}, cluster: app ${route} }]`);
  const { access, routes } = l7Of(load(text, { files: FILES }));
  return [access, routes[0]!.access];
}

function l4(access: string): string {
  return `
clusters: [{ name: app, endpoints: [{ address: 'a:1' }] }]
listeners: [{ name: tcp, mode: l4, address: ':1', cluster: app, access: ${access} }]
`;
}

describe('access', () => {
  it('admits everyone without settings', () => {
    assert.deepEqual(read('', ''), [null, null]);
    for (const nothing of [
      "'off'",
      'false',
      '{}',
      '{ deny: [] }',
      "{ allow: 'off', jwt: 'off', deny: 'off' }",
    ]) {
      assert.deepEqual(read(`access: ${nothing}`, `, access: ${nothing}`), [null, null], nothing);
    }
  });

  it("applies a listener's settings to its routes", () => {
    const [listener, route] = read(LISTENER, '');
    assert.deepEqual(listener?.deny, ['10.0.0.1']);
    assert.equal(route, listener);
  });

  it('replaces single keys in a route', () => {
    const [listener, route] = read(LISTENER, ', access: { deny: [10.0.0.2], allow: [10.0.0.0/8] }');
    assert.deepEqual(route, { ...listener!, deny: ['10.0.0.2'], allow: ['10.0.0.0/8'] });
  });

  it('is removed from a route by off, as a whole or by key', () => {
    const [listener, route] = read(LISTENER, ", access: { deny: 'off', basic: false }");
    assert.deepEqual(route, { ...listener!, deny: [], basic: null });
    assert.equal(read(LISTENER, ", access: 'off'")[1], null);
    assert.equal(read(LISTENER, ", access: { deny: 'off', basic: 'off', origins: 'off' }")[1], null);
  });

  it('lists the valid keys in its errors', () => {
    assert.deepEqual(errorsOf(l7('access: { alow: [10.0.0.1] }')), [
      '5:15: unknown key "alow" in "access": did you mean "allow"?',
    ]);
    assert.deepEqual(errorsOf(l7('access: everybody')), [
      '5:13: access: "everybody" is not a mapping: "access" has deny, allow, origins, originRequired, basic, jwt, forwardAuth',
    ]);
  });

  it('at layer 4 only checks addresses', () => {
    const [listener] = load(l4('{ allow: [10.0.0.0/8] }')).config.listeners;
    assert.deepEqual(listener?.access?.allow, ['10.0.0.0/8']);
    assert.deepEqual(errorsOf(l4('{ origins: [self] }')), [
      '3:75: "origins" looks at requests, which a listener of mode l4 does not see',
    ]);
  });

  it('warns if passwords and tokens use the same header', () => {
    const jwks = JSON.stringify({ keys: [{ kty: 'oct', k: 'c'.repeat(64) }] });
    const files = { ...FILES, 'jwks.json': jwks };
    const warnings = (from: string): string[] => {
      const jwt = `jwt: { keys: jwks.json, issuer: a, audience: b${from} }`;
      const found = warningsOf(l7(`access: { origins: [self], basic: { file: users.htpasswd }, ${jwt} }`), {
        files,
      });
      return found.filter((warning) => warning.includes('Authorization'));
    };
    assert.deepEqual(warnings(', from: [{ header: authorization }, { cookie: session }]'), []);
    assert.deepEqual(warnings(''), [
      '5:65: basic and jwt both use the header Authorization, and every method must pass, so every client is refused: ' +
        'leave one of them out, or name another place in jwt.from',
    ]);
  });
});
