import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NotingTap } from '../../../../support/taps.ts';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  closeBody,
  encodeFrame,
} from '../../../../support/websocket/raw-frames.ts';
import { KIB, Stage } from './session-stage.ts';

function tapped(idleTimeoutMs = 0): { stage: Stage; tap: NotingTap } {
  const tap = new NotingTap();
  const stage = new Stage({ idleTimeoutMs, opens: false });
  stage.session.tap = tap;
  stage.session.downstreamOpened(stage.client);
  assert.deepEqual(tap.calls.splice(0), ['opened']);
  return { stage, tap };
}

function body(code: number, reason = ''): string {
  return closeBody(code, reason).toString('latin1');
}

describe('the tap of a message session', () => {
  it("sees the client's messages and control frames", () => {
    const { stage, tap } = tapped();
    stage.session.downstreamMessage(new TextEncoder().encode('abc').buffer, false);
    stage.session.downstreamMessage(new ArrayBuffer(2), true);
    stage.session.downstreamPinged(Buffer.from('who'));
    stage.session.downstreamPonged(Buffer.from('me'));
    assert.deepEqual(tap.calls, [
      `${TEXT} of client: abc`,
      `${BINARY} of client: \0\0`,
      `${PING} of client: who`,
      `own ${PONG} to client: who`,
      `${PONG} of client: me`,
    ]);
  });

  it("sees the endpoint's bytes, split anywhere, with their position in the frames", () => {
    const bytes = Buffer.concat([encodeFrame(TEXT, 'abc'), encodeFrame(BINARY, Buffer.alloc(300))]);
    for (const at of [1, 3, 5, 8, 200]) {
      const { stage, tap } = tapped();
      stage.receive(bytes.subarray(0, at));
      stage.receive(bytes.subarray(at));
      assert.deepEqual(tap.fromEndpoint, bytes);
      assert.deepEqual(tap.positions[1], {
        messages: at < 5 ? 0 : 1,
        payloadLeft: 0,
        held: bytes.subarray(at < 5 ? 0 : 5, at).toString('latin1'),
      });
    }
  });

  it('can start inside a long frame', () => {
    const frame = encodeFrame(BINARY, Buffer.alloc(100 * KIB));
    const stage = new Stage();
    stage.receive(frame.subarray(0, KIB));
    const tap = new NotingTap();
    stage.session.tap = tap;
    stage.receive(frame.subarray(KIB));
    assert.deepEqual(tap.positions, [{ messages: 0, payloadLeft: frame.length - KIB, held: '' }]);
  });

  it("sees sluice's pings, and its pongs when they are sent", () => {
    const { stage, tap } = tapped(10_000);
    stage.receive(encodeFrame(PING, 'x'));
    assert.deepEqual(tap.calls.splice(0), ['3 of endpoint', `own ${PONG} to endpoint: x`]);
    stage.advance(5200);
    assert.deepEqual(tap.calls, [`own ${PING} to endpoint: `]);
  });

  it('sees how each side closes', () => {
    const { stage, tap } = tapped();
    stage.session.downstreamClosed(4001, Buffer.from('bye'));
    assert.deepEqual(tap.calls, [`${CLOSE} of client: ${body(4001, 'bye')}`, 'ended']);
    assert.deepEqual([tap.end!.side, tap.end!.code], ['client', 4001]);
    const other = tapped();
    const frame = encodeFrame(CLOSE, closeBody(1000));
    other.stage.receive(frame);
    assert.deepEqual(other.tap.calls, [
      `${frame.length} of endpoint`,
      `own ${CLOSE} to endpoint: ${body(1000)}`,
      'ended',
    ]);
    assert.equal(other.stage.session.tap, null);
  });

  it("sees sluice's close frames before the end", () => {
    const callsOf = (act: (stage: Stage) => void): string[] => {
      const { stage, tap } = tapped();
      act(stage);
      return tap.calls;
    };
    const toClient = (code: number, reason: string): string =>
      `own ${CLOSE} to client: ${body(code, reason)}`;
    const toEndpoint = (code: number): string => `own ${CLOSE} to endpoint: ${body(code)}`;
    assert.deepEqual(
      callsOf(({ session }) => session.close(4000, 'enough')),
      [toClient(4000, 'enough'), toEndpoint(1001), 'ended'],
    );
    assert.deepEqual(
      callsOf(({ session }) => session.downstreamLost('lost', false)),
      [toEndpoint(1001), 'ended'],
    );
    assert.deepEqual(
      callsOf(({ session }) => session.channelEnded()),
      [toClient(1011, 'endpoint lost'), 'ended'],
    );
    assert.deepEqual(
      callsOf((stage) => stage.receive(Buffer.from([0xff, 0]))),
      ['2 of endpoint', toClient(1011, 'endpoint protocol error'), toEndpoint(1002), 'ended'],
    );
    assert.deepEqual(
      callsOf(({ session }) => session.shed('downstream')),
      [toClient(1013, 'proxy overloaded'), 'ended'],
    );
    assert.deepEqual(
      callsOf(({ session, client }) => {
        client.waiting = 1;
        session.shed('downstream');
      }),
      ['ended'],
    );
  });

  it('sees nothing after the end', () => {
    const { stage, tap } = tapped();
    stage.session.drain();
    const heard = tap.calls.length;
    assert.equal(tap.calls.at(-1), 'ended');
    stage.receive(encodeFrame(CLOSE, closeBody(1001)));
    stage.session.downstreamPonged(Buffer.alloc(0));
    stage.session.downstreamPinged(Buffer.alloc(0));
    assert.equal(tap.calls.length, heard);
  });
});
