import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TokenSource } from '../../../../../../src/config/types/access.ts';
import { errorsOf, l7, l7Of, load, warningsOf } from '../../../load.ts';

function text(from: string, ...more: readonly string[]): string {
  const jwt = `{ keys: "https://a.example/jwks", issuer: a, audience: b, from: ${from} }`;
  return l7('address: 127.0.0.1:1', `access: { jwt: ${jwt} }`, ...more);
}

function read(from: string): readonly TokenSource[] {
  return l7Of(load(text(from))).access?.jwt?.from ?? [];
}

function error(from: string): string {
  return (errorsOf(text(from))[0] ?? '').replace(/^6:\d+: (?:\w+: )?/, '');
}

describe('the sources of tokens', () => {
  it('are headers, cookies, parameters and subprotocols, in their order', () => {
    assert.deepEqual(
      read('[{ query: access token }, { header: X-Token }, { cookie: s }, { subprotocol: bearer }]'),
      [
        { kind: 'query', name: 'access token' },
        { kind: 'header', name: 'x-token' },
        { kind: 'cookie', name: 's' },
        { kind: 'subprotocol', name: 'bearer' },
      ],
    );
  });

  it('refuse invalid sources', () => {
    assert.equal(
      error('[]'),
      'the list is empty: write at least one of sources such as { header: authorization }',
    );
    assert.match(
      error('[header]'),
      /"header" is not a mapping: a source of tokens has header, cookie, query, subprotocol/,
    );
    assert.equal(
      error('[{ header: a, cookie: b }]'),
      'a source of tokens needs exactly one of header, cookie, query, subprotocol',
    );
    assert.match(error('[{ header: a b }]'), /is not a header's name/);
    assert.match(error('[{ cookie: "a;b" }]'), /is not the name of a cookie/);
    assert.match(error('[{ subprotocol: "a,b" }]'), /is not a subprotocol/);
    assert.equal(error('[{ header: Cookie }]'), '"cookie" has several values: write { cookie: NAME }');
    assert.equal(
      error('[{ header: Sec-WebSocket-Protocol }]'),
      '"sec-websocket-protocol" has several values: write { subprotocol: NAME }',
    );
    assert.equal(error('[{ header: A }, { header: a }]'), '{ header: a } is given twice: keep one of them');
    const nine = Array.from({ length: 9 }, (_, index) => `{ query: q${index} }`).join(', ');
    assert.match(error(`[${nine}]`), /9 sources are too many to look at for each request: keep 8/);
  });

  it('need origins if they include cookies', () => {
    assert.match(warningsOf(text('[{ cookie: s }]'))[0] ?? '', /^6:5: browsers send passwords and cookies/);
    assert.deepEqual(warningsOf(text('[{ header: authorization }, { query: t }, { subprotocol: b }]')), []);
  });
});
