import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import { JsonLines } from '../../../../../src/telemetry/journal/lines/json-lines.ts';
import { createWorkerLogger } from '../../../../../src/telemetry/worker-logger.ts';
import { anyRequest, REQUEST_FACTS, REQUEST, SESSION, SESSION_END } from './entries.ts';

const ALL = { worker: 'l7-0', sample: 1, fields: null };

afterEach(() => mock.timers.reset());

/** Returns the line that a worker's logger writes for an object of fields. */
function logged(fields: object, message: string): string {
  let line = '';
  const log = createWorkerLogger({ level: 'info' }, 'l7-0', (lines) => (line += lines));
  log.info(fields, message);
  log.flush();
  return line;
}

describe('access lines in JSON', () => {
  it("equal the logger's lines byte for byte, whatever clients send", () => {
    mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_123 });
    const lines = new JsonLines(ALL);
    fc.assert(
      fc.property(anyRequest, ({ requestFacts, ...end }) => {
        const { listener, route, cluster, endpoint, method, span: _span, ...rest } = end;
        const { origin, userAgent, referer: _, isHttp10: __, ...who } = requestFacts;
        const place = { listener, route, cluster, endpoint };
        const fields = { ...place, ...who, method, origin, userAgent, ...rest };
        assert.equal(lines.request({ requestFacts, ...end }, false), logged(fields, 'request'));
      }),
      { numRuns: 2000 },
    );
  });

  it("equal the logger's lines for sessions and tunnels, too", () => {
    mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_123 });
    const lines = new JsonLines(ALL);
    const { requestFacts, subprotocol, handshakeSeconds: _seconds, span: _span, ...place } = SESSION;
    const { origin, userAgent, referer: _, isHttp10: __, ...who } = requestFacts;
    const fields = { ...place, ...who, subprotocol, origin, userAgent };
    assert.equal(lines.sessionOpened(SESSION, false), logged(fields, 'session opened'));
    const end = { ...SESSION_END, reason: 'idle "timeout"' };
    assert.equal(lines.sessionClosed(SESSION, end, false), logged({ ...fields, ...end }, 'session closed'));
    const tunnel = {
      listener: 'tcp',
      cluster: 'db',
      endpoint: 'a:1',
      client: '::1',
      peer: undefined,
      serverName: 'x',
      vpcEndpointId: undefined,
      tunnelId: 't-1',
    };
    assert.equal(lines.tunnelOpened(tunnel, false), logged(tunnel, 'tunnel opened'));
    const closed = { reason: 'reset', seconds: 0.0000004, bytesUpstream: 0, bytesDownstream: 5 };
    assert.equal(
      lines.tunnelClosed(tunnel, closed, false),
      logged({ ...tunnel, ...closed }, 'tunnel closed'),
    );
    const refused = lines.handshakesRefused('web', 3);
    assert.equal(
      refused.replace(/"time":"[^"]*"/, ''),
      logged({ listener: 'web', count: 3 }, 'handshakes refused').replace(/"time":"[^"]*"/, ''),
    );
  });

  it('have only the configured fields and those of every line', () => {
    const lines = new JsonLines({ ...ALL, sample: 0.5, fields: ['client', 'status', 'referer'] });
    const { time, ...line } = JSON.parse(
      lines.request({ ...REQUEST, requestFacts: { ...REQUEST_FACTS, referer: 'https://a/b' } }, true),
    ) as Record<string, unknown>;
    assert.equal(typeof time, 'string');
    const common = { level: 'info', worker: 'l7-0', msg: 'request' };
    assert.deepEqual(line, { ...common, client: '192.0.2.7', referer: 'https://a/b', status: 200 });
  });

  it('have the sampling rate if sampling chose them', () => {
    const lines = new JsonLines({ ...ALL, sample: 0.25 });
    const sampleOf = (line: string): unknown => (JSON.parse(line) as { sample?: number }).sample;
    assert.equal(sampleOf(lines.request(REQUEST, true)), 0.25);
    assert.equal(sampleOf(lines.request(REQUEST, false)), undefined);
    assert.equal(sampleOf(lines.sessionClosed(SESSION, SESSION_END, true)), 0.25);
  });
});
