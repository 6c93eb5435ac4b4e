import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SessionEntry } from '../../../../src/l7/websocket/session-entry.ts';
import { SPAN, type Journal } from '../../../../src/telemetry/journal/journal.ts';
import { RequestTrace } from '../../../../src/wire/tracing/request-trace.ts';
import { journalOf, NO_JOURNAL } from '../../../support/journals.ts';

const KIB = 1024;
const NO_TRAFFIC = { messagesUpstream: 0, messagesDownstream: 0, bytesUpstream: 0, bytesDownstream: 0 };
const NO_TRACE = { trace: null, proto: 'ws' } as const;
const PLACE = { listener: 'web', route: 'all', cluster: 'app', endpoint: '127.0.0.1:9001' };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** The request of a client that wants to fill memory: every value is a slice of a large text. */
function greedyEntry(journal: Journal): SessionEntry {
  const big = Buffer.alloc(64 * KIB, 'x').toString();
  const part = (length: number): string => big.slice(1, length + 1);
  const head = {
    method: 'GET',
    path: `/${part(60 * KIB)}`,
    query: '',
    headers: ['host', part(200), 'user-agent', part(40 * KIB), 'origin', part(40 * KIB)],
  };
  const certificate = { subject: part(4096), fingerprint: part(64), names: [] };
  const client = {
    address: part(15),
    requestId: part(64),
    certificate,
    vpcEndpointId: part(64),
    ...NO_TRACE,
  };
  return new SessionEntry(journal, PLACE, head, client, part(20), 1, 0);
}

describe('the entry of a session', () => {
  it('holds bounded text', () => {
    const lines: unknown[] = [];
    const journal = journalOf(lines);
    greedyEntry(journal).opened();
    const { length } = JSON.stringify(lines[0]);
    assert.ok(length < 2800, `${length} characters`);
  });

  it('keeps no more memory than its own text', () => {
    const kept: SessionEntry[] = [];
    const journal = NO_JOURNAL;
    for (let warm = 0; warm < 50; warm++) greedyEntry(journal);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let session = 0; session < 200; session++) kept.push(greedyEntry(journal));
    collect();
    const each = (process.memoryUsage().heapUsed - before) / kept.length;
    assert.ok(each < 8 * KIB, `${each} bytes for each session`);
  });

  it('records events for the span, limited in number and rate', (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const tick = (ms: number): void => context.mock.timers.tick(ms);
    const told: string[][] = [];
    const journal: Journal = {
      ...NO_JOURNAL,
      sinksOf: () => SPAN,
      sessionClosed: (_sinks, _start, _end, sessionEvents) =>
        void told.push(sessionEvents.map(({ name }) => name)),
    };
    const end = { side: 'client', code: 1000, reason: undefined, seconds: 1, ...NO_TRAFFIC } as const;
    const entry = greedyEntry(journal);
    for (let pause = 0; pause < 100; pause++) {
      entry.happened('paused');
      entry.happened('resumed');
    }
    tick(1000);
    entry.happened('limited', 'too many messages');
    entry.happened('draining');
    entry.closed(end);
    assert.deepEqual(told.pop(), ['paused', 'resumed', 'limited', 'draining']);
    const long = greedyEntry(journal);
    for (let pause = 0; pause < 100; pause++) {
      long.happened('paused');
      long.happened('resumed');
      tick(1000);
    }
    long.closed(end);
    assert.equal(told.pop()?.length, 32);
  });

  it('has a span without sampling only if the session failed', () => {
    const asked: [string, boolean][] = [];
    const journal: Journal = {
      ...NO_JOURNAL,
      sinksOf: (outcome, _, trace) => {
        asked.push([outcome, trace !== null]);
        return 0;
      },
    };
    const end = { reason: undefined, seconds: 1, ...NO_TRAFFIC };
    const head = { method: 'GET', path: '/', query: '', headers: [] };
    const trace = RequestTrace.started(Buffer.alloc(24, 1), '127.0.0.1', 0);
    const client = {
      ...NO_TRACE,
      trace,
      address: '127.0.0.1',
      requestId: 'id',
      certificate: null,
      vpcEndpointId: null,
    };
    const entry = new SessionEntry(journal, PLACE, head, client, '', 1, 0);
    entry.closed({ ...end, side: 'client', code: 1000 });
    entry.closed({ ...end, side: 'proxy', code: 1012 });
    entry.closed({ ...end, side: 'endpoint', code: 1006 });
    assert.deepEqual(asked, [
      ['success', true],
      ['refusal', false],
      ['failure', true],
    ]);
  });
});
