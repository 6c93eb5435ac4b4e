import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { codedError, HANDSHAKE_TIMEOUT_MS, SWITCH, upgrade } from './upgrade-rig.ts';

afterEach(() => mock.restoreAll());

describe('an upgrade', () => {
  it("sends the endpoint its own key, and answers 101 after the endpoint's 101", () => {
    const { sockets, log, held, pending } = upgrade();
    const [socket] = sockets;
    assert.equal(socket!.received, '');
    socket!.owner!.upstreamConnected();
    assert.match(socket!.received, /^GET \/ HTTP\/1\.1\r\n/);
    assert.match(socket!.received, /Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n/i);
    assert.deepEqual([log, held(), pending()], [['e1 dialled'], 1, 1]);
    socket!.say(SWITCH);
    assert.deepEqual(log, ['e1 dialled', 'e1 connected', '101 X-App: 1', 'left']);
    assert.deepEqual([held(), pending(), socket!.destroyed], [1, 0, false]);
  });

  it('passes bytes after the 101 on to the session, wherever the 101 is split', () => {
    for (const cut of [1, 20, SWITCH.length - 1]) {
      const { sockets, log } = upgrade();
      sockets[0]!.owner!.upstreamConnected();
      sockets[0]!.say(SWITCH.slice(0, cut));
      sockets[0]!.say(`${SWITCH.slice(cut)}early`);
      assert.deepEqual(log.slice(-3), ['101 X-App: 1', 'session got early', 'left']);
    }
  });

  it('measures the time of its handshake once', () => {
    const { sockets, durations, pass } = upgrade();
    pass(500);
    sockets[0]!.owner!.upstreamConnected();
    assert.deepEqual(durations, []);
    sockets[0]!.say(SWITCH);
    assert.deepEqual(durations, [0.5]);
  });

  it("measures its endpoint's time from the dial, without failed endpoints", () => {
    const { sockets, answerSeconds, pass } = upgrade();
    pass(500);
    sockets[0]!.owner!.channelClosed(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    pass(200);
    sockets[1]!.owner!.upstreamConnected();
    pass(100);
    sockets[1]!.say(SWITCH);
    assert.deepEqual(answerSeconds, [0.3]);
  });

  it('forwards interim responses', () => {
    const { sockets, log } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(`HTTP/1.1 103 Early Hints\r\nLink: a\r\nConnection: x\r\n\r\n${SWITCH}`);
    assert.deepEqual(log.slice(1, -1), ['informs 103 Link a', 'e1 connected', '101 X-App: 1']);
  });

  it('does not end its session at its own deadline', () => {
    const { sockets, log, pass } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(SWITCH);
    const before = [...log];
    pass(10 * HANDSHAKE_TIMEOUT_MS);
    assert.deepEqual(log, before);
  });

  it('discards the session if the client has disconnected before its 101', () => {
    const { sockets, log, held } = upgrade({ accepts: false });
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(SWITCH);
    assert.deepEqual(log.slice(-3), ['session discarded', 'refused 499 client_gone at e1', 'left']);
    assert.equal(held(), 0);
  });
});

describe('an upgrade at the gate', () => {
  it('is refused if too many are queued', () => {
    const { log, sockets, pending } = upgrade({ gate: 'outside' });
    assert.deepEqual(log, ['refused 503 overload at -', '503 too many handshakes are waiting', 'left']);
    assert.deepEqual([sockets.length, pending()], [0, 0]);
  });

  it('dials when it is admitted from the queue', () => {
    const { upgrade: queued, sockets, pending } = upgrade({ gate: 'queued' });
    assert.deepEqual([sockets.length, pending()], [0, 1]);
    queued.place = 'inside';
    queued.admitted();
    assert.equal(sockets.length, 1);
  });

  it('is refused if it loses its place in the queue, or has waited for handshakeTimeout', () => {
    const displaced = upgrade({ gate: 'queued' });
    displaced.upgrade.displaced();
    assert.deepEqual(displaced.log, [
      'refused 503 overload at -',
      '503 too many handshakes from this address are waiting',
      'left',
    ]);
    const late = upgrade({ gate: 'queued' });
    late.pass(HANDSHAKE_TIMEOUT_MS - 100);
    assert.deepEqual(late.log, []);
    late.pass(300);
    assert.deepEqual(late.log, [
      'waited too long',
      'refused 503 overload at -',
      '503 the handshake waited too long in the queue',
      'left',
    ]);
    assert.equal(late.pending(), 0);
  });
});

describe('an upgrade that ends early', () => {
  it('drops the endpoint without an answer if the client disconnects', () => {
    for (const connected of [false, true]) {
      const { upgrade: begun, sockets, log, held, pending } = upgrade();
      if (connected) sockets[0]!.owner!.upstreamConnected();
      begun.clientGone();
      assert.deepEqual(log.slice(connected ? 1 : 0), ['refused 499 client_gone at e1', 'left']);
      assert.deepEqual([sockets[0]!.destroyed, held(), pending()], [true, 0, 0]);
    }
  });

  it('leaves the queue if the client disconnects', () => {
    const { upgrade: queued, log, pending } = upgrade({ gate: 'queued' });
    queued.clientGone();
    assert.deepEqual([log, pending()], [['refused 499 client_gone at -', 'left'], 0]);
  });

  it('drops an answer that is still being collected if the worker drains', () => {
    const { upgrade: begun, sockets, log, held } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say('HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n');
    begun.cancel();
    assert.deepEqual(log.slice(-2), ['503 the proxy is draining', 'left']);
    assert.deepEqual([sockets[0]!.destroyed, held()], [true, 0]);
  });

  it('is refused once, and no deadline follows', () => {
    const { upgrade: begun, log, pass } = upgrade();
    begun.cancel();
    const before = [...log];
    pass(10 * HANDSHAKE_TIMEOUT_MS);
    assert.deepEqual(log, before);
  });

  it('answers 503 if the worker drains', () => {
    const { upgrade: begun, sockets, log, held, pending } = upgrade();
    begun.cancel();
    assert.deepEqual(log, ['refused 503 draining at e1', '503 the proxy is draining', 'left']);
    assert.deepEqual([sockets[0]!.destroyed, held(), pending()], [true, 0, 0]);
  });

  it('answers 503 if the client loses its admission, and does not count that as a drain', () => {
    const { upgrade: begun, log, pending } = upgrade();
    begun.cancel('access revoked');
    assert.deepEqual(log, ['refused 503 access at e1', '503 access revoked', 'left']);
    assert.equal(pending(), 0);
  });
});

describe('an answer other than 101', () => {
  it('is forwarded unchanged, and no other endpoint is tried', () => {
    const { sockets, log, held, pending } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    assert.deepEqual(log, ['e1 dialled', 'e1 answered 403', '403 no', 'left', 'refused 403 refused at e1']);
    assert.deepEqual([sockets.length, sockets[0]!.destroyed, held(), pending()], [1, true, 0, 0]);
  });

  it('is forwarded with the received part of its body when its time is over', () => {
    const { sockets, log, pass } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say('HTTP/1.1 500 Broken\r\nContent-Length: 9\r\n\r\npart');
    pass(HANDSHAKE_TIMEOUT_MS - 100);
    assert.equal(log.at(-1), 'e1 answered 500');
    pass(300);
    assert.deepEqual(log.slice(-3), ['500 part', 'left', 'refused 500 refused at e1']);
  });

  it('may take longer than handshakeTimeout after streaming has started', () => {
    const { sockets, log, pass } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(`HTTP/1.1 403 Forbidden\r\nContent-Length: 99999\r\n\r\n${'x'.repeat(70_000)}`);
    const before = [...log];
    pass(2 * HANDSHAKE_TIMEOUT_MS);
    assert.deepEqual([log, sockets[0]!.destroyed], [before, false]);
  });

  it('is dropped with its body if the client disconnects before it is answered', () => {
    const { upgrade: begun, sockets, log, held } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say('HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n');
    begun.clientGone();
    assert.deepEqual(log.slice(-2), ['refused 499 client_gone at e1', 'left']);
    assert.deepEqual([sockets[0]!.destroyed, held()], [true, 0]);
  });
});

describe('a shortage', () => {
  it('of sluice itself is answered as such', () => {
    const { sockets, log } = upgrade({ endpoints: 1 });
    sockets[0]!.owner!.channelClosed(codedError('EMFILE'));
    assert.deepEqual(log.slice(-3), [
      'refused 503 own_shortage at e1',
      '503 the proxy is out of descriptors or memory',
      'left',
    ]);
  });

  it('of endpoints is answered without an attempt', () => {
    const { log } = upgrade({ endpoints: 0 });
    assert.deepEqual(log, ['refused 503 no_endpoint at -', '503 no endpoint is available', 'left']);
  });
});
