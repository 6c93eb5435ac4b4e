import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verdictOn } from '../../../../../src/access/credentials/forward-auth/auth-verdict.ts';

const NOTHING = Buffer.alloc(0);

function granted(headers: readonly string[], listed: readonly string[]) {
  const decision = verdictOn({ status: 200, headers, body: NOTHING }, listed);
  assert.ok(decision.granted);
  return decision;
}

function refused(status: number, headers: readonly string[] = [], body = NOTHING) {
  const decision = verdictOn({ status, headers, body }, ['x-user']);
  assert.ok(!decision.granted);
  return decision;
}

describe('a response that admits the client', () => {
  it('forwards the listed headers, byte by byte and line by line', () => {
    const answer = ['X-User', 'jos\xc3\xa9', 'X-Other', 'no', 'x-groups', 'a', 'X-Groups', 'b'];
    const { forwarded } = granted(answer, ['x-user', 'x-groups']);
    assert.deepEqual(forwarded, ['x-user', 'jos\xc3\xa9', 'x-groups', 'a', 'x-groups', 'b']);
  });

  it('names the principal by the first listed header', () => {
    const { principal } = granted(['x-user', 'jos\xc3\xa9', 'x-groups', 'a'], ['x-user', 'x-groups']);
    assert.deepEqual([principal?.kind, principal?.name, principal?.issuedAt], ['forward', 'josé', null]);
  });

  it('is refused if it names two principals', () => {
    assert.deepEqual(
      ((decision) => !decision.granted && [decision.status, decision.reason])(
        verdictOn({ status: 200, headers: ['X-User', 'bob', 'x-user', 'root'], body: NOTHING }, ['x-user']),
      ),
      [503, 'forward_auth_failed'],
    );
  });

  it('identifies nobody if that header is missing, empty or too long', () => {
    for (const headers of [[], ['x-groups', 'a'], ['x-user', ''], ['x-user', 'x'.repeat(257)]]) {
      assert.equal(granted(headers, ['x-user', 'x-groups']).principal, null);
    }
    assert.equal(granted(['x-user', 'alice'], []).principal, null);
  });

  it('may be any 2xx', () => {
    for (const status of [200, 202, 204, 299]) {
      assert.equal(verdictOn({ status, headers: [], body: NOTHING }, []).granted, true);
    }
  });

  it('is refused if a header could end its line', () => {
    const decision = verdictOn({ status: 200, headers: ['x-user', 'a\rb'], body: NOTHING }, ['x-user']);
    assert.equal(!decision.granted && decision.reason, 'forward_auth_failed');
  });
});

describe('any other response', () => {
  it('is sent to the client with its status, headers and body', () => {
    const headers = ['Location', '/login', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'WWW-Authenticate', 'X'];
    const decision = refused(302, headers, Buffer.from('go'));
    assert.deepEqual([decision.status, decision.reason], [302, 'forward_auth']);
    assert.deepEqual(decision.headers.flat(), headers);
    assert.equal(Buffer.from(decision.body!).toString(), 'go');
  });

  it('omits connection headers and headers that the reply sets itself', () => {
    const headers = [
      ...[
        'Connection',
        'keep-alive, X-Hop',
        'Keep-Alive',
        'timeout=5',
        'X-Hop',
        '1',
        'Transfer-Encoding',
        'chunked',
      ],
      ...[
        'Content-Length',
        '3',
        'Date',
        'today',
        'X-Request-Id',
        'theirs',
        'Upgrade',
        'h2c',
        'Content-Type',
        'text/html',
      ],
    ];
    assert.deepEqual(refused(403, headers).headers, [['Content-Type', 'text/html']]);
  });

  it('is a failure if its status does not fit the request', () => {
    for (const status of [304, 600, 999]) {
      const { status: sent, reason } = refused(status);
      assert.deepEqual([sent, reason], [503, 'forward_auth_failed']);
    }
  });
});
