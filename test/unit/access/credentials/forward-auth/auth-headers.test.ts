import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authRequestHeaders } from '../../../../../src/access/credentials/forward-auth/auth-headers.ts';
import { headerOf } from '../../../../../src/wire/http/request-head.ts';
import { requestWith } from '../requests.ts';

type Shape = Parameters<typeof requestWith>[1];

/** Returns the question in lower case. */
function ask(headers: readonly string[], answered: readonly string[] = [], shape: Shape = {}) {
  const question = authRequestHeaders(requestWith(headers, shape), new Set(answered));
  return { headers: question.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)) };
}

describe('authRequestHeaders', () => {
  it('describes the request as Traefik and nginx do', () => {
    const question = ask(['host', 'chat.example.com:8443'], [], { method: 'POST', path: '/a', query: 'b=c' });
    assert.deepEqual(question.headers, [
      ...['accept-encoding', 'identity'],
      ...['x-forwarded-method', 'POST', 'x-original-method', 'POST'],
      ...['x-forwarded-proto', 'https', 'x-forwarded-host', 'chat.example.com:8443'],
      ...['x-forwarded-uri', '/a?b=c', 'x-original-uri', '/a?b=c'],
      ...['x-original-url', 'https://chat.example.com:8443/a?b=c'],
      ...['x-forwarded-for', '192.0.2.7', 'x-real-ip', '192.0.2.7'],
      ...['x-request-id', 'id'],
    ]);
  });

  it("has the client's headers, including repeated lines", () => {
    const own = ['cookie', 'a=\xe9', 'cookie', 'b=2', 'authorization', 'Basic eA==', 'x-any', 'thing'];
    assert.deepEqual(ask(own).headers.slice(0, own.length), own);
  });

  it('omits headers about the connection, the body, the handshake and the form of the resource', () => {
    const names = [
      ...['connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'transfer-encoding', 'proxy-authorization'],
      ...['content-length', 'expect', 'sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol'],
      ...['if-none-match', 'if-modified-since', 'range'],
    ];
    const question = ask(names.flatMap((name) => [name, 'x']));
    for (const name of names) assert.equal(headerOf(question, name), undefined, name);
  });

  it('omits the headers that Connection lists', () => {
    const question = ask(['connection', 'X-Hop, close', 'x-hop', '1', 'x-end', '2']);
    assert.deepEqual([headerOf(question, 'x-hop'), headerOf(question, 'x-end')], [undefined, '2']);
  });

  it("drops the client's own descriptions of the request", () => {
    const forged = [
      ...['x-forwarded-uri', 'x-forwarded-method', 'x-forwarded-any', 'x_forwarded_uri', 'forwarded'],
      ...[
        'x-original-url',
        'x-original-uri',
        'x_original_uri',
        'x-real-ip',
        'x-forwarded-for',
        'x-request-id',
      ],
    ];
    const question = ask(forged.flatMap((name) => [name, 'forged']));
    assert.equal(question.headers.includes('forged'), false);
  });

  it('omits headers that only the response may set, in either spelling', () => {
    const question = ask(['x-user', 'mallory', 'x_user', 'mallory', 'cookie', 'a=b'], ['x-user']);
    assert.equal(question.headers.includes('mallory'), false);
    assert.equal(headerOf(question, 'cookie'), 'a=b');
  });

  it('shows the path as endpoints get it, not as received', () => {
    const question = ask([], [], { path: '/public/../admin', normalized: '/admin', query: 'a' });
    assert.equal(headerOf(question, 'x-forwarded-uri'), '/admin?a');
    assert.equal(headerOf(question, 'x-original-uri'), '/admin?a');
  });

  it('omits a host that could be read as a list', () => {
    assert.equal(headerOf(ask(['host', 'evil,good']), 'x-forwarded-host'), undefined);
    assert.equal(headerOf(ask([]), 'x-forwarded-host'), undefined);
  });
});
