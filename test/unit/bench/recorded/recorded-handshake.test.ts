import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHandshake } from '../../../../bench/recorded/recorded-handshake.ts';

function read(
  target: string,
  headers: readonly (readonly [string, string])[] = [],
): ReturnType<typeof readHandshake> {
  return readHandshake({ target, headers }, new Set());
}

describe('a recorded handshake', () => {
  it('keeps the path and the query of a valid target, except cut parameters', () => {
    for (const [target, path] of [
      ['/', '/'],
      ['/a%20b?x=1&&y', '/a%20b?x=1&&y'],
      ['/a?token=[cut]', '/a'],
      ['/a?x=1&token=[cut]&y=2', '/a?x=1&y=2'],
      ['/a?', '/a'],
      ['http://recorded.example/a', '/'],
      ['/a b', '/'],
      ['/a\r\nx: y', '/'],
      ['', '/'],
    ] as const) {
      assert.equal(read(target).path, path, target);
    }
  });

  it("keeps the client's headers, except invalid and cut ones and those of its connection", () => {
    const { headers, subprotocols } = read('/', [
      ['Host', 'a'],
      ['Origin', 'https://a'],
      ['Upgrade', 'websocket'],
      ['connection', 'upgrade, x'],
      ['Keep-Alive', '5'],
      ['Sec-WebSocket-Key', 'k'],
      ['Sec-WebSocket-Extensions', 'permessage-deflate'],
      ['Sec-WebSocket-Protocol', 'a, b:c'],
      ['sec-websocket-protocol', 'd,"e"'],
      ['X-Trace', '1'],
      ['X-Split', 'a\r\nb: c'],
      ['bad name', 'x'],
      ['Cookie', 'a=[cut]; b=c'],
    ]);
    assert.deepEqual(headers, [
      ['Origin', 'https://a'],
      ['X-Trace', '1'],
    ]);
    assert.deepEqual(subprotocols, ['a', 'b:c', 'd']);
  });

  it('names what was cut', () => {
    const cut = new Set<string>();
    const headers = [
      ['Cookie', '[cut]'],
      ['cookie', '[cut]'],
      ['Sec-WebSocket-Protocol', 'a,[cut]'],
    ] as const;
    readHandshake({ target: '/?key=[cut]', headers }, cut);
    assert.deepEqual([...cut], ['cookie', 'sec-websocket-protocol', '?key']);
    assert.equal(readHandshake({ target: '/a/[cut]/b?x', headers: [] }, cut).path, '/a/[cut]/b?x');
    assert.ok(cut.has('the path'));
  });
});
