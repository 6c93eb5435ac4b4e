import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import { TextLines } from '../../../../../src/telemetry/journal/lines/text-lines.ts';
import { anyRequest, REQUEST, SESSION, SESSION_END } from './entries.ts';

describe('access lines in the text format', () => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.UTC(2000, 9, 10, 13, 55, 36) }));
  afterEach(() => mock.timers.reset());

  it('put the most important fields first', () => {
    const lines = new TextLines();
    assert.equal(
      lines.request(REQUEST),
      '2000-10-10 13:55:36 200 GET /chat 192.0.2.7 (basic:alice) 13ms 1.2kB 127.0.0.1:9001\n',
    );
    assert.equal(
      lines.sessionClosed(SESSION, SESSION_END),
      '2000-10-10 13:55:36 101 WS /chat 192.0.2.7 (basic:alice) closed 1000 by client 1m1s up 3/30B down 4/4.0kB 127.0.0.1:9001\n',
    );
    assert.equal(
      lines.handshakeRefused({
        ...REQUEST,
        status: 503,
        reason: 'overload',
        detail: 'too many',
        subprotocol: undefined,
      }),
      '2000-10-10 13:55:36 503 WS /chat 192.0.2.7 (basic:alice) 13ms overload 127.0.0.1:9001 too many\n',
    );
  });

  it('escape text from clients only once', () => {
    const requestFacts = { ...REQUEST.requestFacts, path: '/"é' };
    assert.match(new TextLines().request({ ...REQUEST, requestFacts }), / GET \/\\"\\xc3\\xa9 192/);
  });

  it('have at most 120 columns of ASCII, whatever clients send', () => {
    const lines = new TextLines();
    fc.assert(
      fc.property(anyRequest, (request) => {
        assert.match(lines.request(request), /^[\x20-\x7e]{1,120}\n$/);
      }),
      { numRuns: 1000 },
    );
  });
});
