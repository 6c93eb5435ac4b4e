import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestHead } from '../../../../src/wire/http/request-head.ts';
import { checkUpgrade, wantsWebSocket } from '../../../../src/wire/upgrade/upgrade-request.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

const RIGHT: Readonly<Record<string, string>> = {
  host: 'a',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': KEY,
};

/** Returns a valid handshake with the given headers replaced; null removes a header. */
function handshake(changes: Readonly<Record<string, string | null>> = {}, method = 'GET'): RequestHead {
  const headers = Object.entries({ ...RIGHT, ...changes }).flatMap(([name, value]) =>
    value === null ? [] : [name, value],
  );
  return { method, path: '/', query: '', headers };
}

describe('a request', () => {
  it('wants a WebSocket if its Upgrade header names it, in any case and position', () => {
    for (const upgrade of ['websocket', 'WebSocket', 'WEBSOCKET', 'h2c, websocket', ' websocket ,h2c']) {
      assert.equal(wantsWebSocket(handshake({ upgrade })), true, upgrade);
    }
  });

  it('wants none without the connection option for Upgrade', () => {
    for (const connection of [null, '', 'keep-alive', 'upgraded', 'up grade', 'x-upgrade']) {
      assert.equal(wantsWebSocket(handshake({ connection })), false, String(connection));
    }
  });

  it('is ignored in HTTP/1.0 (RFC 9110 section 7.8)', () => {
    assert.equal(wantsWebSocket({ ...handshake({}), isHttp10: true }), false);
  });

  it('wants no WebSocket if it names another protocol', () => {
    for (const upgrade of [null, '', 'h2c', 'websocket/13', 'websockets', 'web socket', 'websoc\u212aet']) {
      assert.equal(wantsWebSocket(handshake({ upgrade })), false, String(upgrade));
    }
  });
});

describe("a client's handshake", () => {
  it('is accepted with its key and without subprotocols', () => {
    assert.deepEqual(checkUpgrade(handshake()), { key: KEY, subprotocols: [] });
  });

  it('is accepted for any spelling of its tokens', () => {
    for (const connection of [
      'upgrade',
      'UPGRADE',
      'keep-alive, Upgrade',
      'Upgrade,keep-alive',
      ' ,upgrade',
    ]) {
      assert.ok(wantsWebSocket(handshake({ connection })), connection);
    }
    assert.ok('key' in checkUpgrade(handshake({ upgrade: 'WebSocket' })));
    assert.ok('key' in checkUpgrade(handshake({ 'content-length': '0' })));
  });

  it('is accepted if its connection header has several lines', () => {
    const head = handshake({ connection: 'keep-alive' });
    assert.ok(wantsWebSocket({ ...head, headers: [...head.headers, 'connection', 'upgrade'] }));
  });

  it('offers its subprotocols in order, over several lines', () => {
    const head = handshake({ 'sec-websocket-protocol': 'chat.v2, chat.v1' });
    const more = { ...head, headers: [...head.headers, 'sec-websocket-protocol', 'soap,CHAT.v1'] };
    assert.deepEqual(checkUpgrade(more), {
      key: KEY,
      subprotocols: ['chat.v2', 'chat.v1', 'soap', 'CHAT.v1'],
    });
  });

  it('offers subprotocols with the separators that clients use', () => {
    for (const offered of [
      'a:b',
      'c/d',
      'urn:example:chat/v2',
      'base64url.bearer.authorization.k8s.io.dG9rZW4',
      'header-eyJhIjoxfQ==',
      'user@example?x=(y)[z]{0}<1>',
    ]) {
      const checked = checkUpgrade(handshake({ 'sec-websocket-protocol': `${offered}, json` }));
      assert.deepEqual(checked, { key: KEY, subprotocols: [offered, 'json'] });
    }
  });

  it('is refused with 426 for another version', () => {
    for (const version of [null, '', '8', '12', '14', '013', '13.0', '13, 8']) {
      const checked = checkUpgrade(handshake({ 'sec-websocket-version': version }));
      assert.ok('status' in checked, String(version));
      assert.equal(checked.status, 426, String(version));
    }
  });

  const wrong: readonly (readonly [reason: string, head: RequestHead])[] = [
    ...['POST', 'HEAD', 'get', 'CONNECT'].map(
      (method) => ['a WebSocket handshake must be a GET request', handshake({}, method)] as const,
    ),
    ['upgrade must be websocket alone', handshake({ upgrade: 'websocket, h2c' })],
    ['upgrade must be websocket alone', handshake({ upgrade: 'websocket, websocket' })],
    ...['version', 'key'].map((name) => {
      const { headers, ...head } = handshake();
      const twice = { ...head, headers: [...headers, `sec-websocket-${name}`, headers.at(-1)!] };
      return [`more than one sec-websocket-${name} header`, twice] as const;
    }),
    ['a WebSocket handshake has no body', handshake({ 'content-length': '1' })],
    ['a WebSocket handshake has no body', handshake({ 'transfer-encoding': 'chunked' })],
    ...[null, '', 'short', `${KEY}=`, KEY.slice(0, -1), `${KEY}, ${KEY}`, 'dGhlIHNhbXBsZSBub25jZR=='].map(
      (key) =>
        [
          'sec-websocket-key must be the base64 of 16 bytes',
          handshake({ 'sec-websocket-key': key }),
        ] as const,
    ),
    ...['a b', 'a;b', 'a, "b"', 'a, b\'"', 'a\\b', 'ä', 'a\tb', 'a\u0001', 'a\u007f'].map(
      (offered) => ['bad sec-websocket-protocol', handshake({ 'sec-websocket-protocol': offered })] as const,
    ),
    ['subprotocol offered twice', handshake({ 'sec-websocket-protocol': 'a, b, a' })],
  ];
  for (const [reason, head] of wrong) {
    it(`is refused: ${reason} (${head.method} ${JSON.stringify(head.headers.slice(2))})`, () => {
      assert.deepEqual(checkUpgrade(head), { status: 400, reason });
    });
  }
});
