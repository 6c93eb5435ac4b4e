import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessLogSettings, LogSettings } from '../../../../src/config/types/config.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { WorkerEvent } from '../../../../src/protocol/admin/events.ts';
import { ACCESS, EVENT, SAMPLED, SPAN } from '../../../../src/telemetry/journal/journal.ts';
import { EventBatch } from '../../../../src/worker/journal/event-batch.ts';
import { WorkerJournal } from '../../../../src/worker/journal/worker-journal.ts';
import { config } from '../../primary/fixtures/config.ts';
import { REQUEST_FACTS, REQUEST, SESSION, SESSION_END } from '../../telemetry/journal/lines/entries.ts';

const ON: AccessLogSettings = {
  file: null,
  format: 'json',
  sample: 1,
  fields: null,
  slowMs: 0,
  maxSizeBytes: 0,
  keep: 5,
};

class World {
  readonly log: string[] = [];
  readonly access: string[] = [];
  readonly events: WorkerEvent[] = [];
  readonly batch: EventBatch;
  readonly journal: WorkerJournal;
  spans = 0;
  random = 0;

  constructor(access: Partial<AccessLogSettings> | null, level: LogSettings['level'] = 'info') {
    this.batch = new EventBatch(
      new TimerWheel(0),
      (events) => this.events.push(...events),
      () => undefined,
    );
    this.journal = new WorkerJournal(
      {
        worker: 'l7-0',
        log: { add: (line) => this.log.push(line), flush: () => undefined },
        access: { add: (line) => this.access.push(line), flush: () => this.access.push('flushed') },
        events: this.batch,
        spans: {
          request: () => this.spans++,
          handshakeRefused: () => this.spans++,
          session: () => this.spans++,
        },
        random: () => this.random,
      },
      settings(access, level),
    );
  }
}

function settings(
  access: Partial<AccessLogSettings> | null,
  level: LogSettings['level'] = 'info',
): LogSettings {
  return { ...config.log, level, access: access === null ? null : { ...ON, ...access } };
}

describe("a worker's journal", () => {
  it('wants no successes without an access log, but events of failures', () => {
    const { journal } = new World(null);
    assert.deepEqual(
      (['success', 'refusal', 'failure'] as const).map((outcome) => journal.sinksOf(outcome, 9, null)),
      [0, 0, EVENT],
    );
    assert.deepEqual([journal.isOn(ACCESS), journal.isOn(EVENT)], [false, true]);
  });

  it('samples successes, and takes all refusals, failures and slow requests', () => {
    const world = new World({ sample: 0.25, slowMs: 500 });
    const { journal } = world;
    world.random = 0.24;
    assert.equal(journal.sinksOf('success', 0.1, null), ACCESS | SAMPLED);
    world.random = 0.25;
    assert.equal(journal.sinksOf('success', 0.1, null), 0);
    assert.equal(journal.sinksOf('success', 0.5, null), ACCESS);
    assert.equal(journal.sinksOf('refusal', 0, null), ACCESS);
    assert.equal(journal.sinksOf('failure', 0, null), ACCESS | EVENT);
  });

  it('has spans of sampled traces, and of all traced failures', () => {
    const world = new World(null);
    const { journal } = world;
    const sinks = journal.sinksOf('success', 0, { isSampled: true });
    assert.equal(sinks, SPAN);
    journal.request(sinks, REQUEST);
    assert.equal(world.spans, 1);
    assert.equal(journal.sinksOf('success', 0, { isSampled: false }), 0);
    assert.equal(journal.sinksOf('failure', 0, { isSampled: false }), EVENT | SPAN);
  });

  it('samples nothing at a rate of 0', () => {
    const world = new World({ sample: 0 });
    world.random = 0;
    assert.equal(world.journal.sinksOf('success', 0, null), 0);
  });

  it('writes to the log at level info, and to a separate file at any level', () => {
    assert.equal(new World({}, 'warn').journal.sinksOf('success', 0, null), 0);
    const world = new World({ file: '/tmp/access.log' }, 'silent');
    world.journal.request(world.journal.sinksOf('success', 0, null), REQUEST);
    assert.deepEqual([world.log.length, world.access.length], [0, 1]);
    const shared = new World({});
    shared.journal.request(ACCESS, REQUEST);
    assert.deepEqual([shared.log.length, shared.access.length], [1, 0]);
  });

  it('applies reloaded settings from the next line on', () => {
    const world = new World({});
    world.journal.request(ACCESS, REQUEST);
    world.journal.apply(settings({ format: 'combined', file: '/tmp/access.log' }));
    assert.equal(world.journal.needsReferer, true);
    world.journal.request(ACCESS, REQUEST);
    world.journal.apply(settings(null));
    assert.equal(world.journal.sinksOf('success', 0, null), 0);
    world.journal.sessionClosed(ACCESS, SESSION, SESSION_END, []);
    assert.deepEqual(
      [world.log.length, world.access.length],
      [1, 1],
      'a session that opened before has no line',
    );
    assert.match(world.log[0]!, /^\{"level":"info"/);
    assert.match(world.access[0]!, /^192\.0\.2\.7 - basic:alice \[/);
  });

  it('posts waiting lines and events when its worker ends', () => {
    const world = new World({ file: '/tmp/access.log' });
    world.journal.request(ACCESS | EVENT, { ...REQUEST, status: 502 });
    world.journal.flush();
    assert.deepEqual([world.access.at(-1), world.events.length], ['flushed', 1]);
  });

  it('reports failures with their reason, place and client', () => {
    const world = new World(null);
    const { journal } = world;
    journal.request(EVENT, { ...REQUEST, status: 502 });
    journal.request(EVENT, { ...REQUEST, status: 403, reason: 'limit', cause: 'burst', detail: 'too many' });
    journal.sessionClosed(EVENT, SESSION, { ...SESSION_END, side: 'endpoint', code: 1011 }, []);
    // It ended well, so that an access line wants it, and no event.
    journal.sessionClosed(EVENT, SESSION, SESSION_END, []);
    journal.connectionRefused({ kind: 'tunnel', listener: 'tcp', cluster: 'db', reason: 'dial_failed' });
    world.batch.flush();
    const place = { listener: 'web', route: 'all', cluster: 'app', endpoint: '127.0.0.1:9001' };
    const { client, principal, host, path, requestId } = REQUEST_FACTS;
    const who = { client, principal, host, path, requestId };
    assert.deepEqual(JSON.parse(JSON.stringify(world.events.map(({ at: _, ...event }) => event))), [
      { kind: 'request', reason: 'server_error', status: 502, ...place, ...who },
      { kind: 'request', reason: 'limit', status: 403, detail: 'too many (burst)', ...place, ...who },
      { kind: 'session', reason: '1011', side: 'endpoint', code: 1011, ...place, ...who },
      { kind: 'tunnel', reason: 'dial_failed', listener: 'tcp', cluster: 'db' },
    ]);
  });
});
