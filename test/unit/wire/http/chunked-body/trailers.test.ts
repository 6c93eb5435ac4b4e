import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowedTrailers, type Trailers } from '../../../../../src/wire/http/chunked-body/trailers.ts';

describe('forwarded trailers', () => {
  const harmless: Trailers = [
    ['X-Checksum', '1'],
    ['grpc-status', '0'],
    ['Server-Timing', 'a;dur=1'],
    ['ETag', '"a"'],
  ];

  it('keep their order and spelling', () => assert.equal(allowedTrailers(harmless), harmless));

  for (const name of [
    'Content-Length',
    'transfer-encoding',
    'Host',
    'Trailer',
    'TE',
    'Connection',
    'Keep-Alive',
    'Upgrade',
    'Expect',
    'Content-Type',
    'Content-Encoding',
    'Authorization',
    'Proxy-Authorization',
    'Set-Cookie',
    'Cookie',
    'If-Match',
    'Cache-Control',
    'Location',
    'X-Forwarded-For',
    'Forwarded',
    'X-Request-Id',
    'Sec-WebSocket-Key',
  ]) {
    it(`do not include ${name}`, () =>
      assert.deepEqual(allowedTrailers([[name, 'a'], ...harmless, [name.toUpperCase(), 'b']]), harmless));
  }
});
