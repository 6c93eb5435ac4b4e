import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from '../../../../src/cli/demo/inspection.ts';

const app = { app: 'echo app', endpoint: '127.0.0.1:1' };

function headersOf(rawHeaders: string[]): unknown {
  return inspect({ url: '/', rawHeaders }, app).headers;
}

describe('the description of a handshake', () => {
  it('has the target and all headers in their order, duplicates included', () => {
    const rawHeaders = ['Host', 'a.example', 'X-Forwarded-For', '1', 'x-forwarded-for', '2'];
    assert.deepEqual(inspect({ url: '/a?b=c', rawHeaders }, app), {
      app: 'echo app',
      endpoint: '127.0.0.1:1',
      target: '/a?b=c',
      headers: [
        ['host', 'a.example'],
        ['x-forwarded-for', '1'],
        ['x-forwarded-for', '2'],
      ],
    });
  });

  it('hides values of unknown headers, which a page of another site must not learn from it', () => {
    const secrets = [
      'Cookie',
      'Authorization',
      'Proxy-Authorization',
      'X-Auth-Token',
      'X-Api-Key',
      'X-Forwarded-Client-Cert',
      'X-Session-Id',
      'X-Secret',
      'Remote-User',
      'X-One',
    ];
    for (const name of secrets) {
      assert.deepEqual(headersOf([name, 'secret']), [[name.toLowerCase(), '(hidden)']]);
    }
    assert.deepEqual(headersOf(['Sec-WebSocket-Key', 'nonce']), [['sec-websocket-key', 'nonce']]);
  });

  it('has at most 64 headers, and 400 characters of a value', () => {
    const many = Array.from({ length: 65 }, () => ['Origin', 'y'.repeat(401)]).flat();
    const headers = headersOf(many) as [string, string][];
    assert.equal(headers.length, 64);
    assert.deepEqual(headers[0], ['origin', `${'y'.repeat(400)}…`]);
    const { target } = inspect({ url: `/${'a'.repeat(400)}`, rawHeaders: [] }, app);
    assert.equal(target, `/${'a'.repeat(399)}…`);
  });
});
