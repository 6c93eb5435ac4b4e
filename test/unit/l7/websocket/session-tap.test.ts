import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { OpenAdmission } from '../../../../src/access/admission/open-admission.ts';
import type { RelaySession } from '../../../../src/l7/contract/relay.ts';
import { tapOf } from '../../../../src/l7/websocket/session-tap.ts';
import type { UpgradeContext } from '../../../../src/l7/websocket/upgrade-order.ts';
import type { RequestHead } from '../../../../src/wire/http/request-head.ts';
import { NotingTaps } from '../../../support/taps.ts';
import { SWITCH, upgrade } from './upgrade-rig.ts';

afterEach(() => mock.restoreAll());

const SESSION = {
  number: 7,
  extensions: 'permessage-deflate',
  endpoint: { label: '10.0.0.1:80' },
  admission: new OpenAdmission('192.0.2.1', 'CN=a'),
} as unknown as RelaySession;

function handshakeOf(head: Partial<RequestHead>): { target: string; headers: (readonly string[])[] } {
  const before = Date.now();
  const taps = new NotingTaps();
  const context = { taps, listener: 'l', route: { name: 'r' }, cluster: { name: 'c' } };
  const whole = { method: 'GET', path: '/a', query: '', headers: [], ...head };
  tapOf(context as unknown as UpgradeContext, SESSION, { head: whole }, 'chat');
  const [session] = taps.sessions;
  const { handshake, openedAt, ...facts } = session!;
  assert.ok(openedAt >= before);
  assert.deepEqual(facts, {
    number: 7,
    listener: 'l',
    route: 'r',
    cluster: 'c',
    endpoint: '10.0.0.1:80',
    principal: 'cert:CN=a',
    client: '192.0.2.1',
    extensions: 'permessage-deflate',
  });
  assert.equal(handshake!.subprotocol, 'chat');
  return { target: handshake!.target, headers: [...handshake!.headers] };
}

describe('the tap of a new session', () => {
  it('gets the target with its query', () => {
    assert.equal(handshakeOf({}).target, '/a');
    assert.equal(handshakeOf({ query: 'b=c?d' }).target, '/a?b=c?d');
    assert.equal(handshakeOf({ hasEmptyQuery: true }).target, '/a?');
  });

  it("gets the headers in order, with the client's spelling if the engine keeps it", () => {
    const headers = ['host', 'h', 'x-a', '1', 'x-a', '2'];
    const pairs = [
      ['host', 'h'],
      ['x-a', '1'],
      ['x-a', '2'],
    ];
    assert.deepEqual(handshakeOf({ headers }).headers, pairs);
    const names = ['Host', 'X-A', 'x-A'];
    assert.deepEqual(
      handshakeOf({ headers, names }).headers,
      pairs.map(([, value], at) => [names[at], value]),
    );
  });
});

describe('an upgrade', () => {
  it('attaches a tap to its session before the client is answered', () => {
    const taps = new NotingTaps();
    const { sockets, log } = upgrade({ taps });
    sockets[0]!.owner!.upstreamConnected();
    assert.equal(taps.sessions.length, 0);
    sockets[0]!.say(SWITCH);
    assert.equal(taps.sessions.length, 1);
    assert.deepEqual(log.slice(-3), ['session has a tap', '101 X-App: 1', 'left']);
  });

  it('does not call taps that are off', () => {
    const taps = new NotingTaps();
    taps.isOn = false;
    const { sockets, log } = upgrade({ taps });
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(SWITCH);
    assert.equal(taps.sessions.length, 0);
    assert.ok(!log.includes('session has a tap'));
  });
});
