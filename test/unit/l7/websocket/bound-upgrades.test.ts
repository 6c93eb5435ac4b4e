/** Upgrades on connections that belong to one client's connection, and who holds a connection in the end. */
import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { codedError, HANDSHAKE_TIMEOUT_MS, SWITCH, upgrade } from './upgrade-rig.ts';

afterEach(() => mock.restoreAll());

const RESET = codedError('ECONNRESET');
const CHALLENGE = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno';

describe('an upgrade that authenticates its connection', () => {
  it('waits for the identity of its client before it goes to an endpoint', () => {
    const { sockets, identify } = upgrade({ authorizes: true, identified: false });
    assert.equal(sockets.length, 0);
    identify();
    assert.equal(sockets.length, 1);
  });

  it('is refused at the end of handshakeTimeout if the search takes longer', () => {
    const { sockets, log, pass } = upgrade({ authorizes: true, identified: false });
    pass(HANDSHAKE_TIMEOUT_MS + 200);
    assert.equal(sockets.length, 0);
    assert.deepEqual(log.slice(-3), [
      'refused 504 timeout at -',
      '504 the endpoint did not answer in time',
      'left',
    ]);
  });

  it('cancels the search if the client disconnects', () => {
    const { upgrade: begun, log } = upgrade({ authorizes: true, identified: false });
    begun.clientGone();
    assert.deepEqual(log, ['search ended', 'refused 499 client_gone at -', 'left']);
  });
});

describe('a bound connection', () => {
  it('is kept after a refusal, read again, and still counted', () => {
    const { sockets, log, held } = upgrade({ bound: true });
    sockets[0]!.paused = true;
    sockets[0]!.say(CHALLENGE);
    assert.deepEqual(log, [
      'e0 answered 401',
      'connection kept',
      '401 no',
      'left',
      'refused 401 refused at e0',
    ]);
    assert.deepEqual([held(), sockets[0]!.destroyed, sockets[0]!.paused], [1, false, false]);
  });

  it('is not blamed if the search for its client has used up its time', () => {
    const { identify, log, pass } = upgrade({ authorizes: true, bound: true, identified: false });
    pass(HANDSHAKE_TIMEOUT_MS - 300);
    identify();
    pass(600);
    assert.equal(log[0], 'e0 failed: timeout, counts as nothing');
    assert.ok(log.includes('refused 504 timeout at e0'));
  });

  it('counts as in use until its session owns it', () => {
    const { sockets, inUse } = upgrade({ bound: true });
    assert.equal(inUse(), 1);
    sockets[0]!.say(SWITCH);
    assert.equal(inUse(), 0);
  });

  it('is tried once, and another endpoint is tried after an invalid answer', () => {
    const { sockets, log } = upgrade({ bound: true });
    sockets[0]!.say('no HTTP\r\n');
    assert.equal(log.at(-1), 'e0 failed: handshake, counts as handshake');
    assert.equal(sockets.length, 2);
  });

  it('is redialled once, and fails if the fresh connection closes', () => {
    const { sockets, log } = upgrade({ bound: true });
    sockets[0]!.owner!.channelClosed(RESET);
    sockets[1]!.owner!.upstreamConnected();
    sockets[1]!.owner!.channelClosed(RESET);
    assert.equal(sockets.length, 2);
    assert.equal(log[2], 'e0 failed: reset, counts as reset');
  });

  it('does not affect the next endpoint if it fails by anything but a reset', () => {
    const { sockets, log } = upgrade({ bound: true, takes: false });
    sockets[0]!.owner!.channelClosed(codedError('EHOSTUNREACH'));
    sockets[1]!.owner!.upstreamConnected();
    sockets[1]!.owner!.channelClosed(RESET);
    assert.equal(log.at(-1), 'e1 failed: reset, counts as reset');
    assert.equal(sockets.length, 3);
  });
});

describe('a client that disconnects late', () => {
  it('leaves the connection of its session to the session', () => {
    const { upgrade: begun, sockets, log, held } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(SWITCH);
    const before = [...log];
    begun.clientGone();
    assert.deepEqual([log, held(), sockets[0]!.destroyed], [before, 1, false]);
  });

  it('counts as refused once if it has received a part of a refusal', () => {
    const { upgrade: begun, sockets, log, held } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(`HTTP/1.1 403 Forbidden\r\nContent-Length: 99999\r\n\r\n${'x'.repeat(70_000)}`);
    begun.clientGone();
    assert.deepEqual(log.slice(-3), ['begins 403', 'left', 'refused 403 refused at e1']);
    assert.equal(held(), 0);
  });
});
