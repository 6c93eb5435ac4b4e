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
import { KIB, Stage, closeOf, masked, type StageOptions } from './stream-stage.ts';

/** Frames of every kind that a client may send before its close frame. */
const FROM_CLIENT = Buffer.concat([
  masked(TEXT, 'hello'),
  masked(BINARY, Buffer.alloc(300, 7), false),
  masked(PING, 'who'),
  masked(0, '', false),
  masked(0, 'end'),
  masked(TEXT),
  masked(PONG, 'me'),
]);
const FROM_ENDPOINT = Buffer.concat([
  encodeFrame(BINARY, Buffer.alloc(200)),
  encodeFrame(PING, 'you'),
  encodeFrame(TEXT, 'a', { fin: false }),
  encodeFrame(PONG, ''),
  encodeFrame(0, 'b'),
]);

function tapped(options: StageOptions = {}): { stage: Stage; tap: NotingTap } {
  const tap = new NotingTap();
  const stage = new Stage({ ...options, opens: false });
  stage.session.tap = tap;
  stage.session.clientOpened(stage.client, options.rest ?? Buffer.alloc(0));
  return { stage, tap };
}

function close(stage: Stage): void {
  stage.client.send(masked(CLOSE, closeBody(1000)));
  stage.endpoint.send(encodeFrame(CLOSE, closeBody(1000)));
}

describe('the tap of a byte session', () => {
  it('sees all bytes of both sides in order, split anywhere, then the end', () => {
    for (const size of [1, 2, 7, 64, 1000]) {
      const { stage, tap } = tapped();
      for (let at = 0; at < FROM_CLIENT.length; at += size)
        stage.client.send(FROM_CLIENT.subarray(at, at + size));
      for (let at = 0; at < FROM_ENDPOINT.length; at += size)
        stage.endpoint.send(FROM_ENDPOINT.subarray(at, at + size));
      close(stage);
      assert.deepEqual(tap.fromClient, stage.endpoint.bytes);
      assert.deepEqual(tap.fromEndpoint, stage.client.bytes);
      assert.deepEqual([tap.calls[0], tap.calls.at(-1)], ['opened', 'ended']);
    }
  });

  it('changes neither the relayed bytes nor the counts', () => {
    const plain = new Stage();
    const { stage, tap } = tapped();
    for (const each of [plain, stage]) {
      each.client.send(FROM_CLIENT);
      each.endpoint.send(FROM_ENDPOINT);
      close(each);
      each.endpoint.sendFin();
      each.client.sendFin();
      assert.ok(each.isOver);
    }
    assert.deepEqual(stage.client.bytes, plain.client.bytes);
    assert.deepEqual(stage.endpoint.bytes, plain.endpoint.bytes);
    assert.deepEqual(stage.lines, plain.lines);
    assert.deepEqual({ ...tap.end, seconds: 0 }, stage.end);
    assert.equal(stage.session.tap, null);
  });

  it('sees bytes after the request and after the 101', () => {
    const { stage, tap } = tapped({ rest: masked(TEXT, 'early') });
    stage.session.endpointBegan(encodeFrame(TEXT, 'first'));
    assert.deepEqual(tap.calls, ['opened', '11 of client', '7 of endpoint']);
    assert.deepEqual(tap.fromClient, masked(TEXT, 'early'));
  });

  it('can start at any byte, and learns the position in the frames', () => {
    const frames = [masked(TEXT, 'abc'), masked(PING, 'x'), masked(BINARY, Buffer.alloc(130))];
    const bytes = Buffer.concat(frames);
    for (let at = 0; at < bytes.length; at++) {
      const stage = new Stage();
      stage.client.send(bytes.subarray(0, at));
      const tap = new NotingTap();
      stage.session.tap = tap;
      stage.client.send(bytes.subarray(at));
      const [position] = tap.positions;
      assert.deepEqual(tap.fromClient, bytes.subarray(at));
      // The held and the remaining bytes must lead to the end of the open frame.
      const ends = frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1)).length);
      const under = ends.findIndex((end) => end > at);
      const begin = under === 0 ? 0 : ends[under - 1]!;
      const head = [6, 6, 8][under]!;
      const isData = under !== 1;
      const isInPayload = isData && at - begin >= head;
      assert.deepEqual(position, {
        messages: under === 0 ? 0 : 1,
        payloadLeft: isInPayload ? ends[under]! - at : 0,
        held: isInPayload ? '' : bytes.subarray(begin, at).toString('latin1'),
      });
    }
  });

  it('sees spliced bytes as skipped, and prevents new splices', () => {
    const frame = encodeFrame(BINARY, Buffer.alloc(200 * KIB));
    const stage = new Stage();
    stage.endpoint.canSplice = true;
    stage.endpoint.send(frame.subarray(0, KIB));
    const tap = new NotingTap();
    stage.session.tap = tap;
    stage.endpoint.send(frame.subarray(KIB));
    assert.ok(stage.endpoint.spliced > 0);
    assert.ok(tap.calls.every((call) => /^skipped \d+ of endpoint$/.test(call)));
    const { spliced } = stage.endpoint;
    stage.endpoint.send(frame);
    assert.equal(stage.endpoint.spliced, spliced);
    assert.deepEqual(tap.fromEndpoint, frame);
    assert.equal(tap.positions[0]!.messages, 1);
  });

  it("sees sluice's pings without masks", () => {
    const { stage, tap } = tapped({ idleTimeoutMs: 10_000 });
    stage.advance(5200);
    const [toEndpoint, toClient] = [stage.endpoint, stage.client].map(({ frames }) => frames[0]![1]);
    assert.equal(toEndpoint, toClient);
    assert.deepEqual(
      [...tap.calls].sort(),
      ['opened', `own ${PING} to client: ${toClient}`, `own ${PING} to endpoint: ${toEndpoint}`].sort(),
    );
  });

  it("sees sluice's close frames before the end", () => {
    const { stage, tap } = tapped();
    stage.session.close(4000, 'enough');
    const text = (code: number, reason = ''): string => closeBody(code, reason).toString('latin1');
    assert.deepEqual(tap.calls, [
      'opened',
      `own ${CLOSE} to client: ${text(4000, 'enough')}`,
      `own ${CLOSE} to endpoint: ${text(1001)}`,
      'ended',
    ]);
    assert.deepEqual([tap.end!.side, tap.end!.code, tap.end!.reason], ['proxy', 4000, 'enough']);
    assert.deepEqual(stage.client.frames, [closeOf(4000, 'enough')]);
  });

  it('sees a delayed own frame between the frames around it', () => {
    const { stage, tap } = tapped();
    stage.client.send(masked(TEXT, 'abc').subarray(0, 7));
    stage.session.close(4000, '');
    tap.calls.length = 0;
    stage.client.send(Buffer.concat([masked(TEXT, 'abc').subarray(7), masked(TEXT, 'd')]));
    assert.deepEqual(
      tap.calls.map((call) => call.replace(/:.*/s, '')),
      ['2 of client', `own ${CLOSE} to endpoint`, 'ended'],
    );
  });

  it('sees sides that are lost, fail or time out', () => {
    const ends = (act: (stage: Stage) => void): unknown[] => {
      const { stage, tap } = tapped({ idleTimeoutMs: 10_000 });
      act(stage);
      stage.advance(20_000);
      assert.equal(tap.calls.filter((call) => call === 'ended').length, 1);
      assert.equal(tap.calls.at(-1), 'ended');
      return [tap.end!.side, tap.end!.code];
    };
    assert.deepEqual(
      ends(({ client }) => client.lose(null)),
      ['client', 1006],
    );
    assert.deepEqual(
      ends(({ endpoint }) => endpoint.sendFin()),
      ['endpoint', 1006],
    );
    assert.deepEqual(
      ends(({ endpoint }) => endpoint.send(masked(TEXT, 'masked'))),
      ['endpoint', 1002],
    );
    assert.deepEqual(
      ends(() => undefined),
      ['endpoint', 1006],
    );
    assert.deepEqual(
      ends(({ session }) => session.abort()),
      ['proxy', 1006],
    );
  });

  it('sees nothing after a close frame, or after its removal', () => {
    const { stage, tap } = tapped();
    stage.client.send(masked(CLOSE, closeBody(1000)));
    const heard = tap.calls.length;
    stage.client.send(masked(TEXT, 'late'));
    assert.equal(tap.calls.length, heard);
    stage.session.tap = null;
    stage.endpoint.send(encodeFrame(CLOSE, closeBody(1000)));
    assert.equal(tap.calls.length, heard);
  });

  it('sees nothing if the client disconnects before the 101', () => {
    const tap = new NotingTap();
    const stage = new Stage({ opens: false });
    stage.session.tap = tap;
    stage.session.discard();
    assert.deepEqual(tap.calls, []);
  });
});

describe('a byte session', () => {
  it('knows the agreed extensions, however many values there are', () => {
    assert.equal(new Stage().session.extensions, '');
    const stage = new Stage({ extensions: 'permessage-deflate' });
    assert.equal(stage.session.extensions, 'permessage-deflate');
    for (let count = 0; count < 200; count++) {
      const agreed = `permessage-deflate; x=${count % 100}`;
      const { endpoint, admission } = stage.session;
      const session = stage.relay.createSession(stage.endpoint, endpoint, agreed, null, admission);
      assert.equal(session.extensions, agreed);
    }
  });
});
