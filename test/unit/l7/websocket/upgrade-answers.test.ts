/** The headers that the proxy adds to an endpoint's answer, and the count of an answer that is cut. */
import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { SWITCH, upgrade } from './upgrade-rig.ts';

afterEach(() => mock.restoreAll());

/** An upgrade that its endpoint answers, and what was noted. */
function answered(answer: string, options: Parameters<typeof upgrade>[0] = {}): ReturnType<typeof upgrade> {
  const rig = upgrade(options);
  rig.sockets[0]!.owner!.upstreamConnected();
  rig.sockets[0]!.say(answer);
  return rig;
}

describe('a 101', () => {
  it('has a Via header if the listener adds them', () => {
    assert.equal(answered(SWITCH, { via: true }).log.at(-2), '101 X-App: 1, Via: 1.1 sluice');
  });

  it('has the sticky cookie for its endpoint', () => {
    assert.equal(answered(SWITCH, { cookie: 'lb=e1' }).log.at(-2), '101 X-App: 1, Set-Cookie: lb=e1');
  });

  it('passes the extensions chosen by the endpoint on to the client and the session', () => {
    const rig = upgrade({ extensions: 'x-a, x-b; c=1' });
    rig.sockets[0]!.owner!.upstreamConnected();
    assert.match(rig.sockets[0]!.received, /\r\nSec-WebSocket-Extensions: x-a, x-b; c=1\r\n/);
    rig.sockets[0]!.say(SWITCH.replace('X-App', 'Sec-WebSocket-Extensions: x-b; d=2\r\nX-App'));
    assert.deepEqual(rig.log.slice(-3, -1), [
      'session with x-b; d=2',
      '101 X-App: 1, Sec-WebSocket-Extensions: x-b; d=2',
    ]);
  });

  it('is invalid if it has an extension that was not offered', () => {
    const chosen = SWITCH.replace('X-App', 'Sec-WebSocket-Extensions: x-b\r\nX-App');
    const { log } = answered(chosen, { extensions: 'x-a', endpoints: 1 });
    assert.deepEqual(log.slice(-3), [
      'refused 502 bad_response at e1',
      '502 the endpoint sent an invalid answer',
      'left',
    ]);
    assert.doesNotMatch(answered(SWITCH).sockets[0]!.received, /extensions/i);
  });
});

describe('a refusal', () => {
  for (const version of ['1.0', '1.1']) {
    it(`has a Via header of HTTP/${version} if its endpoint speaks that version`, () => {
      const text = `HTTP/${version} 403 Forbidden\r\nContent-Length: 2\r\n\r\nno`;
      const { log } = answered(text, { via: true });
      assert.deepEqual(log.slice(2, 4), [`Via: ${version} sluice`, '403 no']);
      assert.ok(!answered(text).log.some((line) => line.startsWith('Via')));
    });
  }

  it('counts as cut once if its body breaks on the way to the client', () => {
    const {
      log,
      sockets,
      upgrade: begun,
    } = answered(`HTTP/1.1 403 Forbidden\r\nContent-Length: 99999\r\n\r\n${'x'.repeat(70_000)}`);
    sockets[0]!.owner!.channelEnded();
    begun.clientGone();
    assert.deepEqual(log.slice(-4), [
      'begins 403',
      'left',
      'counted as cut: endpoint',
      'refused 403 refused at e1',
    ]);
  });

  it('does not count as cut if the client has received all of it', () => {
    const { log } = answered('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    assert.ok(!log.some((line) => line.startsWith('counted')));
  });
});
