import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import { CombinedLines } from '../../../../../src/telemetry/journal/lines/combined-lines.ts';
import { anyRequest, REQUEST_FACTS, REQUEST, SESSION, SESSION_END } from './entries.ts';

/** The format as parsers of Apache logs expect it. */
const COMBINED =
  /^\S+ \S+ \S+ \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "(?:[^"\\]|\\.)*" \d{3} (?:\d+|-) "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"\n$/;

describe('access lines in the combined format', () => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.UTC(2000, 9, 10, 13, 55, 36) }));
  afterEach(() => mock.timers.reset());

  it("follow Apache's format, with the arrival time of the request", () => {
    const lines = new CombinedLines();
    const requestFacts = { ...REQUEST_FACTS, referer: 'https://b.example/', principal: undefined };
    assert.equal(
      lines.request({ ...REQUEST, requestFacts, seconds: 2 }),
      '192.0.2.7 - - [10/Oct/2000:13:55:34 +0000] "GET /chat HTTP/1.1" 200 1234 "https://b.example/" "ua/1"\n',
    );
    const old = { ...REQUEST_FACTS, isHttp10: true, userAgent: undefined };
    assert.equal(
      lines.request({ ...REQUEST, requestFacts: old, sent: 0, seconds: 0 }),
      '192.0.2.7 - basic:alice [10/Oct/2000:13:55:36 +0000] "GET /chat HTTP/1.0" 200 - "-" "-"\n',
    );
    assert.match(lines.request({ ...REQUEST, method: undefined }), /\] "-" 200 /);
  });

  it('have one line per session, with status 101 and the bytes sent to the client', () => {
    const lines = new CombinedLines();
    assert.equal(lines.sessionOpened(), '');
    assert.equal(
      lines.sessionClosed(SESSION, SESSION_END),
      '192.0.2.7 - basic:alice [10/Oct/2000:13:54:34 +0000] "GET /chat HTTP/1.1" 101 4000 "-" "ua/1"\n',
    );
  });

  it('have exactly the fields of the format, whatever clients send', () => {
    const lines = new CombinedLines();
    fc.assert(
      fc.property(anyRequest, fc.string({ unit: 'binary' }), (request, referer) => {
        const client = '192.0.2.7';
        const line = lines.request({
          ...request,
          requestFacts: { ...request.requestFacts, client, referer },
        });
        assert.match(line, COMBINED);
        assert.match(line, /^[\x20-\x7e]*\n$/);
      }),
      { numRuns: 2000 },
    );
  });
});
