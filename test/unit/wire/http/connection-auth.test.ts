import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { challengesConnection, connectionLoginFinder } from '../../../../src/wire/http/connection-auth.ts';
import { NO_EDITS } from '../../../../src/wire/http/header-edits.ts';

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
    it(`is found in any line and position: ${JSON.stringify(values)}`, () => {
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
    it(`is not found in: ${value}`, () => {
      assert.equal(challengesConnection({ headers: ['www-authenticate', value] }), false);
      assert.equal(challengesConnection({ headers: ['x-authenticate', 'NTLM'] }), false);
    });
  }
});

describe('credentials of a connection', () => {
  const loginOf = connectionLoginFinder(NO_EDITS);

  it('are found in any case and line', () => {
    for (const value of ['NTLM TlRMTVNTUAAB', 'ntlm', 'Negotiate\tYII', 'NEGOTIATE YII=']) {
      assert.equal(loginOf({ headers: ['host', 'a', 'authorization', value] }).authorizes, true, value);
      const second = loginOf({ headers: ['authorization', 'Basic YTpi', 'authorization', value] });
      assert.deepEqual(second, { authorizes: true, routeCredentials: '' });
    }
  });

  it('are not found in other headers', () => {
    for (const value of ['', 'Basic YTpi', 'Bearer NTLM', 'NTLMx a', 'Negotiate2']) {
      assert.equal(loginOf({ headers: ['authorization', value] }).authorizes, false, value);
    }
    assert.equal(loginOf({ headers: ['proxy-authorization', 'NTLM a'] }).authorizes, false);
  });

  it('from the route count for every request, whatever the client sends', () => {
    for (const name of ['authorization', 'Proxy-Authorization']) {
      for (const dropped of [new Set([name]), new Set<string>()]) {
        const loginOfRoute = connectionLoginFinder({ dropped, added: ['x-a', 'b', name, 'Negotiate YII='] });
        const expected = { authorizes: true, routeCredentials: `${name.toLowerCase()}: Negotiate YII=` };
        assert.deepEqual(loginOfRoute({ headers: [] }), expected);
        assert.deepEqual(loginOfRoute({ headers: ['authorization', 'NTLM a'] }), expected);
      }
    }
  });

  it('from the client are ignored if the route removes or replaces them', () => {
    for (const added of [[], ['authorization', 'Basic YTpi']]) {
      const loginOfRoute = connectionLoginFinder({ dropped: new Set(['authorization']), added });
      const login = loginOfRoute({ headers: ['authorization', 'NTLM a'] });
      assert.deepEqual(login, { authorizes: false, routeCredentials: '' });
    }
  });

  it('from the client count beside a header that the route adds', () => {
    const loginOfRoute = connectionLoginFinder({
      dropped: new Set(),
      added: ['authorization', 'Basic YTpi'],
    });
    assert.equal(loginOfRoute({ headers: ['authorization', 'NTLM a'] }).authorizes, true);
    assert.equal(loginOfRoute({ headers: [] }).authorizes, false);
  });
});
