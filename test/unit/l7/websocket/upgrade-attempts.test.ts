import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { endsOf } from '../connection-ends.ts';
import { codedError, CONNECT_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, SWITCH, upgrade } from './upgrade-rig.ts';

afterEach(() => mock.restoreAll());

const REFUSED = codedError('ECONNREFUSED');
const RESET = codedError('ECONNRESET');

describe('an endpoint that cannot be dialled', () => {
  it('is replaced by another one', () => {
    const { sockets, log, held } = upgrade();
    sockets[0]!.owner!.channelClosed(REFUSED);
    assert.deepEqual(log, ['line: e1 id connect ECONNREFUSED', 'e1 failed: refused, counts as connect']);
    assert.deepEqual([sockets.length, held()], [2, 1]);
    sockets[1]!.owner!.upstreamConnected();
    sockets[1]!.say(SWITCH);
    assert.deepEqual(log.slice(-3), ['e2 connected', '101 X-App: 1', 'left']);
  });

  it('is replaced by another one, and each gets the PROXY header', () => {
    const header = `first ${endsOf('192.0.2.1').line.trim()}`;
    const { sockets, log } = upgrade({ proxyProtocol: 'v1' });
    assert.deepEqual(log, [header]);
    sockets[0]!.owner!.channelClosed(REFUSED);
    assert.equal(log.at(-1), header);
    assert.equal(sockets.length, 2);
  });

  it('causes a 502 if it is the last', () => {
    const { sockets, log, held, pending } = upgrade({ endpoints: 1 });
    sockets[0]!.owner!.channelClosed(REFUSED);
    assert.deepEqual(log.slice(-3), [
      'refused 502 dial_failed at e1',
      '502 the endpoint cannot be reached',
      'left',
    ]);
    assert.deepEqual([held(), pending()], [0, 0]);
  });

  it('is replaced after connectTimeout', () => {
    const { sockets, log, pass } = upgrade();
    pass(CONNECT_TIMEOUT_MS - 100);
    assert.deepEqual(log, []);
    pass(300);
    assert.deepEqual(log, [
      'line: e1 id the endpoint did not accept the connection in time',
      'e1 failed: timeout, counts as connect',
    ]);
    assert.deepEqual([sockets.length, sockets[0]!.destroyed], [2, true]);
  });

  it('causes a 504 at the end of handshakeTimeout, and is blamed if it had its full time', () => {
    const { sockets, log, pass } = upgrade({ connectTimeoutMs: 2 * HANDSHAKE_TIMEOUT_MS });
    pass(HANDSHAKE_TIMEOUT_MS + 200);
    assert.deepEqual(log, [
      'e1 failed: timeout, counts as connect',
      'refused 504 timeout at e1',
      '504 the endpoint did not answer in time',
      'left',
    ]);
    assert.equal(sockets[0]!.destroyed, true);
  });

  it('is not blamed if others have used up its time', () => {
    const { sockets, log, pass } = upgrade({ endpoints: 9 });
    for (let failures = 0; failures < 4; failures++) pass(CONNECT_TIMEOUT_MS);
    pass(HANDSHAKE_TIMEOUT_MS - 4 * CONNECT_TIMEOUT_MS - 300);
    sockets.at(-1)!.owner!.channelClosed(REFUSED);
    const before = log.length;
    pass(600);
    assert.match(log[before]!, /^e\d failed: timeout, counts as nothing$/);
    assert.match(log[before + 1]!, /^refused 504 timeout/);
  });
});

describe('an endpoint that fails in the handshake', () => {
  it('is replaced if it has not received the whole upgrade', () => {
    const { sockets, log } = upgrade({ takes: false });
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.owner!.channelClosed(RESET);
    assert.deepEqual(log.slice(1), ['line: e1 id connect ECONNRESET', 'e1 failed: reset, counts as reset']);
    assert.equal(sockets.length, 2);
  });

  for (const [how, end] of [
    ['a reset', (owner) => owner.channelClosed(RESET)],
    ['a FIN', (owner) => owner.channelEnded()],
  ] as const satisfies (readonly [
    string,
    (owner: { channelClosed(error: Error | null): void; channelEnded(): void }) => void,
  ])[]) {
    it(`is the only one to get a whole upgrade: ${how} becomes 502`, () => {
      for (const takes of [true, false]) {
        const { sockets, log, held } = upgrade({ takes });
        const { owner } = sockets[0]!;
        owner!.upstreamConnected();
        if (!takes) owner!.channelDrained!();
        end(owner!);
        assert.deepEqual(log.slice(2), [
          'e1 failed: reset, counts as reset',
          'refused 502 reset at e1',
          '502 the endpoint closed the connection without an answer',
          'left',
        ]);
        assert.deepEqual([sockets.length, held(), sockets[0]!.destroyed], [1, 0, true]);
      }
    });
  }

  for (const [what, answer, detail] of [
    ['a wrong 101', SWITCH.replace(/Accept: ./, 'Accept: x'), 'wrong sec-websocket-accept'],
    ['no HTTP', 'SSH-2.0-x\r\n', 'malformed response head'],
  ] as const) {
    it(`is replaced if it answers with ${what}, and causes a 502 if it is the last`, () => {
      const { sockets, log } = upgrade();
      for (const socket of [0, 1]) {
        sockets[socket]!.owner!.upstreamConnected();
        sockets[socket]!.say(answer);
      }
      const failed = (label: string): string[] => [
        `${label} dialled`,
        `line: ${label} id ${detail}`,
        `${label} failed: handshake, counts as handshake`,
      ];
      assert.deepEqual(log, [
        ...failed('e1'),
        ...failed('e2'),
        'refused 502 bad_response at e2',
        '502 the endpoint sent an invalid answer',
        'left',
      ]);
    });
  }

  it('causes a 504 if it does not answer within handshakeTimeout', () => {
    const { sockets, log, pass } = upgrade();
    sockets[0]!.owner!.upstreamConnected();
    pass(HANDSHAKE_TIMEOUT_MS - 100);
    assert.equal(log.length, 1);
    pass(300);
    assert.deepEqual(log.slice(1), [
      'e1 failed: timeout, counts as handshake',
      'refused 504 timeout at e1',
      '504 the endpoint did not answer in time',
      'left',
    ]);
  });
});

describe('a connection that is bound to the client', () => {
  it('gets the upgrade at once, and its 101 counts', () => {
    const { sockets, log, held } = upgrade({ bound: true });
    assert.match(sockets[0]!.received, /^GET /);
    sockets[0]!.say(SWITCH);
    assert.deepEqual(log, ['e0 connected', '101 X-App: 1', 'left']);
    assert.equal(held(), 1);
  });

  it('is replaced at the same endpoint without a failure if it turns out to be closed', () => {
    const { sockets, log, held } = upgrade({ bound: true });
    sockets[0]!.owner!.channelClosed(null);
    assert.deepEqual([log, sockets.length, held()], [[], 2, 1]);
    sockets[1]!.owner!.upstreamConnected();
    sockets[1]!.say(SWITCH);
    assert.deepEqual(log, ['e0 dialled', 'e0 connected', '101 X-App: 1', 'left']);
  });

  it('has failed if it closes inside the answer', () => {
    const { sockets, log } = upgrade({ bound: true });
    sockets[0]!.say(SWITCH.slice(0, 20));
    sockets[0]!.owner!.channelClosed(RESET);
    assert.equal(sockets.length, 1);
    assert.deepEqual(log.slice(1, 3), ['e0 failed: reset, counts as reset', 'refused 502 reset at e0']);
  });
});

describe('credentials of a connection', () => {
  it('go to no other endpoint after one may have received them', () => {
    for (const takes of [true, false]) {
      const { sockets, log } = upgrade({ authorizes: true, takes });
      sockets[0]!.owner!.upstreamConnected();
      if (takes) sockets[0]!.say('no HTTP\r\n');
      else sockets[0]!.owner!.channelClosed(RESET);
      assert.equal(sockets.length, 1);
      assert.equal(log.at(-3), takes ? 'refused 502 bad_response at e1' : 'refused 502 reset at e1');
    }
  });

  it('go to no other endpoint after a stale connection, even if the redial fails', () => {
    for (const isLate of [false, true]) {
      const { sockets, log, held, pass } = upgrade({ bound: true, authorizes: true });
      sockets[0]!.owner!.channelClosed(null);
      if (isLate) pass(CONNECT_TIMEOUT_MS + 200);
      else sockets[1]!.owner!.channelClosed(REFUSED);
      assert.deepEqual([sockets.length, held()], [2, 0]);
      assert.equal(log.at(-3), isLate ? 'refused 504 timeout at e0' : 'refused 502 dial_failed at e0');
    }
  });

  it('go to another endpoint if the first cannot be dialled', () => {
    const { sockets } = upgrade({ authorizes: true });
    sockets[0]!.owner!.channelClosed(REFUSED);
    assert.equal(sockets.length, 2);
  });
});
