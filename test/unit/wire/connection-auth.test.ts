import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authorizesConnection, challengesConnection } from '../../../src/wire/connection-auth.ts';

describe('a challenge to authenticate the connection', () => {
  const yes = [
    ['NTLM'],
    ['ntlm'],
    ['Negotiate'],
    ['NEGOTIATE oYG2MIGz'],
    ['Basic realm="a", NTLM'],
    ['Basic realm="a, b" ,\tNegotiate'],
    ['Basic realm="a \\" b", Negotiate'],
    ['Negotiate, NTLM'],
    ['Negotiate,Basic realm=a'],
    ['Basic realm="a"', 'NTLM'],
    ['Digest qop="auth', 'x', 'Nego2'],
    ['CredSSP'],
    ['Kerberos'],
  ];
  for (const values of yes) {
    it(`is seen in any line and place: ${JSON.stringify(values)}`, () => {
      const headers = values.flatMap((value) => ['www-authenticate', value]);
      assert.equal(challengesConnection({ headers }), true);
      assert.equal(challengesConnection({ headers: ['date', 'x', ...headers] }), true);
      const proxy = values.flatMap((value) => ['proxy-authenticate', value]);
      assert.equal(challengesConnection({ headers: proxy }), true);
    });
  }

  for (const value of [
    '',
    'Basic realm="NTLM"',
    'Basic realm="x, NTLM"',
    'Basic realm="a\\", NTLM"',
    'NTLMish',
    'X-NTLM',
    'Bearer, Negotiator',
    'Digest realm=ntlm',
  ]) {
    it(`is not seen where there is none: ${value}`, () => {
      assert.equal(challengesConnection({ headers: ['www-authenticate', value] }), false);
      assert.equal(challengesConnection({ headers: ['x-authenticate', 'NTLM'] }), false);
    });
  }
});

describe('credentials of a connection', () => {
  it('are seen in any case and line', () => {
    for (const value of ['NTLM TlRMTVNTUAAB', 'ntlm', 'Negotiate\tYII', 'NEGOTIATE YII=']) {
      assert.equal(authorizesConnection({ headers: ['host', 'a', 'authorization', value] }), true, value);
      assert.equal(
        authorizesConnection({ headers: ['authorization', 'Basic YTpi', 'authorization', value] }),
        true,
      );
    }
  });

  it('are not seen in others', () => {
    for (const value of ['', 'Basic YTpi', 'Bearer NTLM', 'NTLMx a', 'Negotiate2']) {
      assert.equal(authorizesConnection({ headers: ['authorization', value] }), false, value);
    }
    assert.equal(authorizesConnection({ headers: ['proxy-authorization', 'NTLM a'] }), false);
  });
});
