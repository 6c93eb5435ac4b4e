import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { SecretNames } from '../../../../src/wire/redaction/secret-names.ts';
import { WorkerTaps } from '../../../../src/worker/tap/worker-taps.ts';
import { TEXT } from '../../../support/websocket/raw-frames.ts';
import { TappedLeg, TapRig, endOf, facts, order } from './tap-rig.ts';

const BASE = {
  session: 'r0-1',
  listener: 'web',
  cluster: 'rooms',
  endpoint: '127.0.0.1:9000',
  client: '192.0.2.1',
};

describe('the taps of a worker', () => {
  it('show a session from its handshake to its end', () => {
    const rig = new TapRig(order());
    const tap = rig.taps.watchSession(facts({ extensions: 'permessage-deflate' }));
    tap?.opened();
    new TappedLeg(tap).frame(TEXT, 'hello');
    tap?.ended(endOf({ messagesUpstream: 1 }));
    const records = rig.records().map(({ at, ...record }) => {
      assert.equal(at, 1_700_000_000_000);
      return record;
    });
    assert.deepEqual(records, [
      {
        type: 'session',
        ...BASE,
        openedAt: 1_700_000_000_000,
        route: 'chat',
        principal: 'jwt:alice',
        extensions: 'permessage-deflate',
        request: { target: '/chat', headers: [['Host', 'example.org']] },
      },
      { type: 'frame', session: 'r0-1', from: 'client', opcode: 'text', length: 5 },
      {
        type: 'end',
        session: 'r0-1',
        side: 'client',
        code: 1000,
        seconds: 1.235,
        messagesUpstream: 1,
        messagesDownstream: 0,
        bytesUpstream: 0,
        bytesDownstream: 0,
      },
    ]);
    assert.deepEqual(rig.counts, { told: 1, cpu: 0, lines: 0 });
  });

  it('decode a handshake as UTF-8 before the rules apply', () => {
    const rig = new TapRig(order({ payload: true, redact: ['/caf\u00e9/'] }));
    const handshake = {
      target: '/\u00c3\u00a9?a=caf\u00c3\u00a9',
      headers: [['X-Name', 'Zo\u00c3\u00ab \u00ff']],
      subprotocol: '',
    } as const;
    rig.taps.watchSession(facts({ handshake }))?.opened();
    const [session] = rig.records();
    assert.deepEqual(session?.type === 'session' && session.request, {
      target: '/\u00e9?a=[redacted]',
      headers: [['X-Name', 'Zo\u00eb \ufffd']],
    });
  });

  it('want nothing before the first tap and after the last', () => {
    const rig = new TapRig();
    assert.ok(!rig.taps.isOn);
    assert.equal(rig.taps.watchSession(facts()), null);
    rig.start(order());
    assert.ok(rig.taps.isOn);
    rig.stop();
    assert.ok(!rig.taps.isOn);
    assert.equal(rig.taps.watchSession(facts()), null);
    rig.tick();
    assert.equal(rig.wheel.idleUntil(), Infinity, 'nothing ticks');
  });

  it('watch the sessions chosen by their filter and sample', () => {
    const rig = new TapRig(
      order({ id: 'bob', filter: { principal: 'bob' } }),
      order({ id: 'alice', filter: { principal: 'alice', route: 'chat' } }),
      order({ id: 'half', sample: 0.5 }),
    );
    rig.draws.push(0.5);
    rig.taps.watchSession(facts())?.opened();
    rig.draws.push(0.499);
    rig.taps.watchSession(facts({ number: 2, principal: 'basic:bob' }))?.opened();
    rig.tick();
    const seen = (id: string): string[] =>
      rig.records(id).map((record) => ('session' in record ? record.session : ''));
    assert.deepEqual([seen('bob'), seen('alice'), seen('half')], [['r0-2'], ['r0-1'], ['r0-2']]);
  });

  it('show nothing of a session whose client left before the answer', () => {
    const rig = new TapRig(order());
    assert.notEqual(rig.taps.watchSession(facts()), null);
    assert.deepEqual(rig.records(), []);
  });

  it('parse a session once for several taps, and give each its lines', () => {
    const rig = new TapRig(
      order({ id: 'frames' }),
      order({ id: 'texts', payload: true, maxPayloadBytes: 3 }),
    );
    const tap = rig.taps.watchSession(facts());
    tap?.opened();
    new TappedLeg(tap).frame(TEXT, 'hello');
    assert.deepEqual(rig.frames('frames'), [{ from: 'client', opcode: 'text', length: 5 }]);
    assert.deepEqual(rig.frames('texts'), [
      { from: 'client', opcode: 'text', length: 5, text: 'hel', cut: true },
    ]);
  });

  it('find open sessions, and release them at the end', () => {
    const rig = new TapRig();
    const alice = rig.openSession();
    const ended = rig.openSession({ number: 2, hasEnded: true });
    const bob = rig.openSession({ number: 3, admission: { ...alice.admission, address: '192.0.2.2' } });
    rig.start(order({ filter: { client: '192.0.2.1' } }));
    rig.tick();
    assert.notEqual(alice.tap, null);
    assert.deepEqual([ended.tap, bob.tap], [null, null]);
    new TappedLeg(alice.tap).frame(TEXT, 'hello');
    const [first, second] = rig.records();
    assert.deepEqual(
      [first?.type === 'session' && first.attached, first?.type === 'session' && first.request],
      [true, undefined],
    );
    assert.equal(second?.type, 'frame');
    rig.stop();
    new TappedLeg(alice.tap).frame(TEXT, 'hello');
    rig.tick();
    assert.equal(alice.tap, null);
    assert.deepEqual(rig.records(), []);
  });

  it('show a session to a second tap, too', () => {
    const rig = new TapRig();
    const session = rig.openSession();
    for (const id of ['one', 'two']) {
      rig.start(order({ id }));
      rig.tick();
    }
    const leg = new TappedLeg(session.tap);
    leg.frame(TEXT, 'a');
    rig.stop('one');
    leg.frame(TEXT, 'b');
    rig.tick();
    assert.notEqual(session.tap, null);
    assert.equal(rig.frames('one').length, 0, 'what waits is dropped with its tap');
    assert.equal(rig.frames('two').length, 2);
  });

  it('show the payload of an event that arrives as they begin to watch', () => {
    const rig = new TapRig(order({ id: 'headers' }));
    const session = rig.openSession({ number: 7 });
    rig.groups[0] = { ...rig.groups[0]!, sessions: [session] };
    const tap = (session.tap = rig.taps.watchSession(facts({ number: 7 })));
    tap?.opened();
    rig.start(order({ id: 'payloads', payload: true }));
    // The walk of the new tap runs inside this call.
    tap?.message(true, TEXT, Buffer.from('hello'));
    const [start, frame] = rig.records('payloads');
    assert.equal(start?.type, 'session');
    assert.equal(frame?.type === 'frame' && frame.text, 'hello');
    assert.ok(frame!.at >= start.at);
  });

  it('find open sessions in steps, so that others can run', () => {
    const rig = new TapRig();
    const sessions = Array.from({ length: 400 }, (_, index) => rig.openSession({ number: index + 1 }));
    const watched = (): number => sessions.filter(({ tap }) => tap !== null).length;
    rig.start(order());
    rig.msPerReading = 0.1;
    rig.tick();
    assert.ok(watched() > 0 && watched() < 400, `${watched()} at once`);
    for (let tick = 0; tick < 100; tick++) rig.tick();
    assert.equal(watched(), 400);
  });

  it('count the sessions beyond the limit of a worker, and watch others when there is room again', () => {
    const rig = new TapRig(order());
    const taps = Array.from({ length: 10_001 }, (_, index) => {
      if (index % 1000 === 0) rig.tick();
      const tap = rig.taps.watchSession(facts({ number: index + 1 }));
      tap?.opened();
      return tap;
    });
    rig.report();
    assert.equal(rig.lost.sessions, 1);
    taps[0]?.ended(endOf());
    rig.handle();
    const next = rig.taps.watchSession(facts({ number: 20_000 }));
    next?.opened();
    rig.report();
    assert.equal(rig.lost.sessions, 1);
    taps[10_000]?.ended(endOf());
    assert.equal(rig.records().at(-1)?.type, 'session');
  });

  it('watch some sessions even without CPU time, and count the others', () => {
    const rig = new TapRig(order());
    const open = (count: number): number =>
      Array.from({ length: count }, (_, index) => rig.taps.watchSession(facts({ number: index + 1 }))).filter(
        (tap) => tap !== null,
      ).length;
    rig.msPerReading = 0.02;
    const watched = open(300);
    assert.ok(watched >= 50 && watched < 150, `${watched} watched`);
    rig.msPerReading = 0;
    rig.tick();
    assert.deepEqual(rig.lost, { frames: 0, sessions: 300 - watched });
    assert.equal(open(50), 50, 'the next tick pays for the first');
  });

  it('skip sessions once long handshakes have used up the overdraft', () => {
    const rig = new TapRig(order());
    rig.msPerReading = 5;
    const taps = Array.from({ length: 50 }, (_, index) =>
      rig.taps.watchSession(facts({ number: index + 1 })),
    );
    const watched = taps.filter((tap) => tap !== null).length;
    assert.ok(watched > 2 && watched < 10, `${watched} watched`);
  });

  it('find open sessions as fast as their lines are sent', () => {
    const rig = new TapRig();
    const sessions = Array.from({ length: 8000 }, (_, index) => rig.openSession({ number: index + 1 }));
    const watched = (): number => sessions.filter(({ tap }) => tap !== null).length;
    rig.takes = false;
    rig.start(order());
    for (let tick = 0; tick < 10; tick++) rig.tick();
    assert.ok(watched() > 1000 && watched() < 8000, `${watched()} without a reader`);
    rig.takes = true;
    for (let report = 0; report < 4; report++) rig.taken();
    for (let tick = 0; tick < 10; tick++) rig.tick();
    assert.deepEqual([watched(), rig.lost.sessions], [8000, 0]);
  });

  it('send their last lines when the worker ends, even with unacknowledged reports', () => {
    const rig = new TapRig(order());
    rig.takes = false;
    const tap = rig.taps.watchSession(facts());
    tap?.opened();
    const leg = new TappedLeg(tap);
    for (let tick = 0; tick < 6; tick++) {
      leg.frame(TEXT, 'x');
      rig.report();
    }
    assert.equal(rig.reports.length, 4);
    tap?.ended(endOf({ messagesUpstream: 6 }));
    rig.taps.flush();
    assert.equal(rig.records().at(-1)?.type, 'end');
  });

  it('send many lines in small reports before the tick ends', () => {
    const rig = new TapRig(order());
    const tap = rig.taps.watchSession(facts());
    tap?.opened();
    const leg = new TappedLeg(tap);
    leg.read(Buffer.concat(Array.from({ length: 1000 }, () => leg.encode(TEXT, 'x'))));
    rig.handle();
    const lengths = rig.reports.map(({ lines }) => lines.length);
    assert.ok(lengths.length >= 2 && Math.max(...lengths) < 34 * 1024, lengths.join(' '));
  });

  it('send at most four unacknowledged reports, and then count lost frames', () => {
    const rig = new TapRig(order());
    rig.takes = false;
    const tap = rig.taps.watchSession(facts());
    tap?.opened();
    const leg = new TappedLeg(tap);
    const bytes = Buffer.concat(Array.from({ length: 1000 }, () => leg.encode(TEXT, 'x')));
    for (let read = 0; read < 20; read++) {
      leg.read(bytes);
      rig.tick();
    }
    assert.equal(rig.reports.length, 4);
    for (let report = 0; report < 4; report++) rig.taken();
    rig.tick();
    const { frames: lost } = rig.lost;
    const longest = Math.max(...rig.reports.map(({ lines }) => lines.length));
    assert.ok(longest < 257 * 1024, `${longest} characters`);
    assert.ok(lost > 10_000);
    assert.equal(rig.frames().length + lost, 20_000);
    assert.deepEqual(rig.counts, { told: 20_000 - lost, cpu: 0, lines: lost });
  });

  it('compile no redaction rules for workers with only tunnels', () => {
    const parts = {
      run: 'r0',
      wheel: new TimerWheel(0),
      service: () => assert.fail('nothing to find'),
      counters: { shown: () => undefined, lost: () => undefined },
      secretNames: new SecretNames([]),
      send: () => undefined,
      onFault: () => undefined,
    };
    const orders = [order({ redact: ['no rule'] })];
    assert.throws(() => new WorkerTaps({ ...parts, hasSessions: true }, orders), /JSON path/);
    assert.ok(new WorkerTaps({ ...parts, hasSessions: false }, orders).isOn);
  });

  it('watch tunnels by their reads', () => {
    const rig = new TapRig(
      order({ filter: { listener: 'tcp' } }),
      order({ id: 'route', filter: { route: 'chat' } }),
    );
    const place = {
      listener: 'tcp',
      cluster: 'db',
      endpoint: '127.0.0.1:5432',
      client: '192.0.2.1',
      openedAt: 5,
    };
    const tap = rig.taps.watchTunnel({ ...place, serverName: 'db.example.org' });
    tap?.opened();
    tap?.received(true, 100);
    tap?.received(false, 2000);
    tap?.ended({ reason: 'closed', seconds: 2, bytesUpstream: 100, bytesDownstream: 2000 });
    const records = rig.records().map(({ at: _at, ...record }) => record);
    assert.deepEqual(records, [
      { type: 'tunnel', session: 'r0-t1', ...place, serverName: 'db.example.org' },
      { type: 'bytes', session: 'r0-t1', from: 'client', length: 100 },
      { type: 'bytes', session: 'r0-t1', from: 'endpoint', length: 2000 },
      {
        type: 'end',
        session: 'r0-t1',
        reason: 'closed',
        seconds: 2,
        bytesUpstream: 100,
        bytesDownstream: 2000,
      },
    ]);
    assert.deepEqual(rig.records('route'), []);
    assert.equal(rig.taps.watchTunnel({ ...place, listener: 'web', serverName: null }), null);
  });
});
