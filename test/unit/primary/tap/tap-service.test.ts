/** Permissions of taps, and their traces in workers, log, events and metrics. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_TAPS } from '../../../../src/primary/tap/tap-service.ts';
import { tapFamilies } from '../../../../src/primary/tap/tap-metrics.ts';
import { CLIENT, DeskRig, FakeReader, WISH } from './taps.ts';

describe('the tap service', () => {
  it('starts a tap in all workers when the reader is there, and in workers that start later', () => {
    const rig = new DeskRig();
    const tap = rig.open({ filter: { client: '192.0.2.1' } });
    assert.deepEqual([rig.told, rig.service.orders], [[], []]);
    tap.begin(new FakeReader());
    const order = { ...WISH, id: 'tap-1', filter: { client: '192.0.2.1' } };
    assert.deepEqual(rig.told, [{ type: 'tap_start', order }]);
    assert.deepEqual(rig.service.orders, [order]);
    tap.leave('the reader disconnected');
    assert.deepEqual(rig.told.slice(1), [{ type: 'tap_stop', id: 'tap-1' }]);
    assert.deepEqual([rig.service.orders, rig.service.active], [[], 0]);
  });

  it('refuses every tap if taps are off, and payloads unless they are allowed', () => {
    const rig = new DeskRig();
    rig.settings = { ...rig.settings, tap: 'off' };
    const off = rig.service.open(WISH, CLIENT);
    assert.ok('result' in off && off.result === 'off');
    assert.match(off.message, /set admin\.tap to headers or payload/);
    rig.settings = { ...rig.settings, tap: 'headers' };
    const payload = rig.service.open({ ...WISH, payload: true }, CLIENT);
    assert.ok('result' in payload && payload.result === 'payload');
    assert.match(payload.message, /set admin\.tap to payload/);
    assert.deepEqual([rig.count('off'), rig.count('payload'), rig.count('started')], [1, 1, 0]);
    rig.begin();
    assert.equal(rig.count('started'), 1);
  });

  it('logs nothing about a tap whose reader left before its start', () => {
    const rig = new DeskRig();
    rig.open().leave('the reader disconnected');
    assert.deepEqual([rig.told, rig.lines, rig.events, rig.service.active], [[], [], [], 0]);
  });

  it('refuses more than the max number of taps, and starts another when one has ended', () => {
    const rig = new DeskRig();
    const taps = Array.from({ length: MAX_TAPS }, () => rig.open());
    const refused = rig.service.open(WISH, CLIENT);
    assert.ok('result' in refused && refused.result === 'full');
    assert.match(refused.message, /^8 taps are running/);
    taps[3]!.leave('the reader disconnected');
    rig.open();
  });

  it("combines the configured rules with the tap's rules", () => {
    const rig = new DeskRig();
    rig.settings = { ...rig.settings, tapRedact: ['$..password', '/secret/'] };
    rig.begin({ payload: true, redact: ['$.token', '/secret/'] });
    assert.deepEqual(rig.service.orders[0]!.redact, ['$..password', '/secret/', '$.token']);
  });

  it('logs the start, the end and every refusal with the client, and records them as events', () => {
    const rig = new DeskRig();
    const tap = rig.open({ filter: { route: 'chat' }, sample: 0.01, payload: true, redact: ['$..a'] });
    tap.begin(new FakeReader());
    rig.report({ lines: 'x\n', lostFrames: 5 });
    rig.now += 2500;
    tap.leave('the reader disconnected');
    rig.service.refuse({ result: 'token', message: 'commands need the token' }, CLIENT);
    const [started, ended, refused] = rig.lines as unknown as Record<string, unknown>[];
    assert.deepEqual(
      [started!.msg, started!.tap, started!.client, started!.filter, started!.sample, started!.payload],
      ['tap started', 'tap-1', CLIENT, { route: 'chat' }, 0.01, true],
    );
    assert.deepEqual([started!.maxPayloadBytes, started!.redactRules], [4096, 1]);
    assert.doesNotMatch(JSON.stringify(rig.lines), /\$\.\.a/, 'rules may be secret');
    assert.deepEqual(
      [ended!.msg, ended!.reason, ended!.seconds, ended!.lines, ended!.lostFrames, ended!.droppedLines],
      ['tap ended', 'the reader disconnected', 2.5, 3, 5, 0],
    );
    assert.deepEqual(
      [refused!.msg, refused!.reason, refused!.client, refused!.detail],
      ['tap refused', 'token', CLIENT, 'commands need the token'],
    );
    assert.deepEqual(rig.events, [
      {
        kind: 'process',
        reason: 'tap_started',
        detail: 'payloads of 1% of sessions with route "chat"',
        client: CLIENT,
      },
      {
        kind: 'process',
        reason: 'tap_ended',
        detail: 'the reader disconnected, 3 lines in 3 s',
        client: CLIENT,
      },
      { kind: 'admin', reason: 'tap_refused', detail: 'no token, or a wrong one', client: CLIENT },
    ]);
  });

  it('logs refusals within a rate limit, and counts all of them', () => {
    const rig = new DeskRig();
    for (let index = 0; index < 1000; index++) rig.service.refuse({ result: 'token', message: 'no' }, CLIENT);
    assert.equal(rig.lines.length, 20);
    assert.equal(rig.count('token'), 1000);
  });

  it('ends the taps that a reload forbids, and no others', () => {
    const rig = new DeskRig();
    const redact = ['$.a'];
    const [headers, payload] = [rig.begin({ redact }), rig.begin({ payload: true, redact })];
    rig.service.apply(rig.settings);
    rig.service.apply({ ...rig.settings, tapRedact: ['$.a'] });
    assert.equal(rig.service.active, 2);
    rig.service.apply({ ...rig.settings, tap: 'headers' });
    assert.deepEqual([headers.hasEnded, payload.hasEnded], [false, true]);
    assert.match(payload.text, /"reason":"the configuration was reloaded: admin\.tap is headers"\}\n$/);
    rig.service.apply({ ...rig.settings, tap: 'off' });
    assert.match(headers.text, /"reason":"the configuration was reloaded: admin\.tap is off"\}\n$/);
    assert.equal(rig.service.active, 0);
  });

  it('ends taps at a reload with new rules, which apply to handshakes too, or with another token', () => {
    const rig = new DeskRig();
    const taps = [rig.begin(), rig.begin({ payload: true })];
    rig.service.apply({ ...rig.settings, tapRedact: ['$.new'] });
    for (const { text } of taps) assert.match(text, /admin\.tapRedact has new rules/);
    const tap = rig.begin();
    rig.service.apply({ ...rig.settings, token: 'another' });
    assert.match(tap.text, /admin\.token has changed/);
  });

  it('does not wait for readers that hang when the process ends', async () => {
    const rig = new DeskRig();
    const reader = rig.begin();
    reader.isHanging = true;
    await rig.service.stop('the proxy has ended');
    assert.equal(reader.hasEnded, true);
  });

  it('drops a report that arrives after the end of its tap', () => {
    assert.deepEqual([...new DeskRig().report({ id: 'tap-9', lines: 'x\n' })], [0]);
  });

  it('counts in metrics', () => {
    const rig = new DeskRig();
    const reader = rig.begin();
    const samples = tapFamilies(rig.service).map(({ metric, read }) => [metric.name, [...read()]] as const);
    const values = new Map(samples);
    assert.deepEqual(values.get('sluice_taps_active'), [{ labels: {}, value: 1 }]);
    assert.deepEqual(values.get('sluice_tap_bytes_total'), [{ labels: {}, value: reader.text.length }]);
    assert.deepEqual(values.get('sluice_tap_lines_dropped_total'), [{ labels: {}, value: 0 }]);
    assert.deepEqual(values.get('sluice_taps_total'), [
      { labels: { result: 'started' }, value: 1 },
      ...['off', 'payload', 'full', 'token', 'parameters'].map((result) => ({
        labels: { result },
        value: 0,
      })),
    ]);
  });
});
