/** Recorded clients against servers of the `ws` package that answer as recorded, or differently. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import { createPool } from '../../../bench/driver/crew/crew.ts';
import { renderText } from '../../../bench/report/text.ts';
import { concernsOf } from '../../../bench/result/concerns.ts';
import type { Result } from '../../../bench/result/result.ts';
import { eventually } from '../../support/deadline.ts';
import {
  Scripted,
  THREAD,
  assertClean,
  but,
  echoTo,
  replay,
} from '../../support/processes/load-generator.ts';
import { WrittenRecording } from '../../support/recording/written-recording.ts';

const pool = createPool(THREAD, 2);

/** Makes a recording of one client that sends two messages, gets both back, and closes. */
function echoes(): WrittenRecording {
  const recording = new WrittenRecording();
  recording
    .session()
    .client(10, 'hello')
    .endpoint(12, 'hello')
    .client(40, Buffer.from([1, 2, 3]))
    .endpoint(41, Buffer.from([1, 2, 3]))
    .close(60, 'client', 4001)
    .close(61, 'endpoint', 4001)
    .end(62, 'client', 4001);
  return recording;
}

/** Plays a recording against a server that runs the script for every client. */
async function against(
  script: (socket: WebSocket) => void,
  recording: WrittenRecording,
  argv = '',
): Promise<Result> {
  const server = await Scripted.listen(script);
  try {
    return await replay(server.url, recording.records, argv, pool);
  } finally {
    server.close();
  }
}

describe('a replay', () => {
  after(() => pool.destroy());

  for (const expect of ['same', 'count', 'none'] as const) {
    it(`reports no difference if a server answers as recorded (--expect ${expect})`, async () => {
      const closes: number[] = [];
      const result = await against(
        (socket) => {
          echoTo(socket);
          socket.on('close', (code) => closes.push(code));
        },
        echoes(),
        `--expect ${expect}`,
      );
      assertClean(result);
      await eventually(() => assert.deepEqual(closes, [4001]));
      assert.deepEqual(
        { ...result.replay },
        { begun: 1, played: 1, failed: 0, sent: 2, sentBytes: 8, differences: [] },
      );
      // Without expectations a client closes on time: a late reply does not reach it.
      if (expect === 'none') assert.ok(result.messages <= 2);
      else assert.deepEqual([result.messages, result.bytes], [2, 8]);
      assert.equal(result.timings.latency.count, result.messages);
      assert.equal(result.timings.lateness.count, 2);
      assert.equal(result.timings.handshake.count, 1);
      assert.ok(result.measuredMs >= 60 && result.measuredMs < 10_000, `${result.measuredMs} ms`);
    });
  }

  it('plays clients over TLS, with the Host of the URL', async () => {
    const server = await Scripted.listenOverTls(echoTo);
    const result = await replay(server.url, echoes().records, '--expect same --insecure -c 3', pool);
    server.close();
    assertClean(result);
    assert.equal(result.replay!.played, 3);
    assert.equal(result.timings.tls.count, 3);
    assert.match(server.requests[0]!.headers.host!, /^localhost:/);
  });

  it('opens at most 100 connections at the same time', async () => {
    const recording = new WrittenRecording();
    for (let client = 0; client < 150; client++) recording.session().close(1, 'client', 1000).end(2);
    let [opening, most] = [0, 0];
    const server = await Scripted.listen(() => opening--, {
      verifyClient: (_info, answer) => {
        most = Math.max(most, ++opening);
        setTimeout(() => answer(true), 300);
      },
    });
    const result = await replay(server.url, recording.records, '-w 1', pool);
    server.close();
    assertClean(result);
    assert.equal(result.replay!.played, 150);
    assert.ok(most <= 100, `${most} at a time`);
    // The clients send no messages: this is how late they started.
    assert.equal(result.timings.lateness.count, 50);
    assert.ok(result.timings.lateness.read({ kind: 'max' }) >= 250);
  });

  it('reports a lost reply once per session', async () => {
    const result = await against(
      but(1, () => undefined),
      echoes(),
      '--timeout 100ms',
    );
    assert.deepEqual([...result.errors], [['timeout: no reply', 1]]);
    assert.deepEqual(result.replay!.differences, ['session w0-1, 0 of 1 messages came in time']);
    assert.equal(result.replay!.failed, 1);
    assert.equal(result.replay!.sent, 1);
    assert.match(renderText(result, []), /0 clients played as recorded, 1 failed/);
  });

  it('reports a changed reply only with --expect same', async () => {
    const change = but(2, (socket) => socket.send(Buffer.from([1, 2, 4])));
    assertClean(await against(change, echoes(), '--expect count'));
    const result = await against(change, echoes(), '--expect same');
    assert.deepEqual([...result.errors], [['reply: other than recorded', 1]]);
    assert.deepEqual(result.replay!.differences, [
      'session w0-1, message 2: expected binary 010203 (3 bytes), came binary 010204 (3 bytes)',
    ]);
  });

  it('distinguishes text from binary with --expect same', async () => {
    const result = await against(
      but(1, (socket, data) => socket.send(data)),
      echoes(),
      '--expect same',
    );
    assert.match(result.replay!.differences[0]!, /expected text "hello" \(5 bytes\), came binary 68656c6c6f/);
  });

  it('reports an extra reply', async () => {
    const recording = new WrittenRecording();
    const session = recording.session().client(1, 'hello').endpoint(2, 'hello');
    session.close(3, 'endpoint', 4001).end(4, 'endpoint', 4001);
    // The server closes, so that both replies come before the end, however slow the machine is.
    const twice = but(1, (socket, data) => {
      for (const each of [data, data]) socket.send(each, { binary: false });
      socket.close(4001);
    });
    const result = await against(twice, recording, '--expect same');
    assert.deepEqual([...result.errors], [['reply: more than recorded', 1]]);
    const counted = await against(twice, recording);
    assertClean(counted);
    assert.equal(counted.unsolicited, 1);
    assert.ok(concernsOf(counted).some((concern) => concern.endsWith('are not in the recording: 1.')));
    assertClean(await against(twice, recording, '--expect none'));
  });

  it('reports a server that closes early', async () => {
    const result = await against(
      but(2, (socket) => socket.close(1011)),
      echoes(),
    );
    assert.deepEqual([...result.closes], [['1011', 1]]);
    assert.equal(result.replay!.failed, 1);
  });

  it('waits for a late reply before it sends the next recorded message', async () => {
    const order: string[] = [];
    const late = (socket: WebSocket): void => {
      socket.on('message', (data, binary) => {
        order.push(`message ${(data as Buffer).length}`);
        setTimeout(() => {
          order.push(`reply ${(data as Buffer).length}`);
          socket.send(data as Buffer, { binary });
        }, 150);
      });
    };
    assertClean(await against(late, echoes()));
    assert.deepEqual(order.splice(0), ['message 5', 'reply 5', 'message 3', 'reply 3']);
    await against(late, echoes(), '--expect none');
    assert.deepEqual(order.slice(0, 2), ['message 5', 'message 3']);
  });

  it('expects the server to close if it closed in the recording', async () => {
    const recording = new WrittenRecording();
    recording.session().client(5, 'bye').close(9, 'endpoint', 4002).end(10, 'endpoint', 4002);
    const closing = (code: number) => (socket: WebSocket) => socket.on('message', () => socket.close(code));
    assertClean(await against((socket) => closing(4002)(socket), recording, '--expect same'));
    assertClean(await against((socket) => closing(4003)(socket), recording, '--expect count'));
    const other = await against((socket) => closing(4003)(socket), recording, '--expect same');
    assert.deepEqual([...other.errors], [['close: other code than recorded', 1]]);
    assert.deepEqual(other.replay!.differences, ['session w0-1, expected close 4002, came close 4003']);
    const never = await against(() => undefined, recording, '--timeout 100ms');
    assert.deepEqual([...never.errors], [['timeout: no close', 1]]);
  });

  it('plays every client once, even with fewer connections than clients', async () => {
    const recording = new WrittenRecording();
    for (let client = 0; client < 7; client++) {
      recording
        .session(client)
        .client(client + 1, `client ${client}`)
        .endpoint(client + 2, `client ${client}`);
    }
    for (const connections of [1, 3, 7]) {
      const said: string[] = [];
      const result = await against(
        (socket) => {
          echoTo(socket);
          socket.on('message', (data) => said.push((data as Buffer).toString()));
        },
        recording,
        `-c ${connections} -w 2 --expect same`,
      );
      assertClean(result);
      assert.equal(result.replay!.played, 7);
      assert.deepEqual(
        said.sort(),
        Array.from({ length: 7 }, (_, client) => `client ${client}`),
      );
      assert.ok(concernsOf(result).some((concern) => /still open .*: 7\.$/.test(concern)));
    }
  });

  it('plays clients several times if there are more connections than clients', async () => {
    const result = await against(echoTo, echoes(), '-c 5 -w 2');
    assertClean(result);
    assert.equal(result.replay!.played, 5);
    assert.equal(result.opened, 5);
  });

  it('sends the recorded handshake, except cut or replaced parts', async () => {
    const recording = new WrittenRecording();
    recording.session(0, {
      request: {
        target: '/chat?room=1&token=[cut]&x=%20y',
        headers: [
          ['Host', 'recorded.example'],
          ['Origin', 'https://page.example'],
          ['User-Agent', 'recorded'],
          ['Cookie', 'a=[cut]'],
          ['Connection', 'keep-alive, Upgrade'],
          ['Sec-WebSocket-Protocol', 'chat, [cut]'],
          ['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA=='],
          ['Authorization', '[cut]'],
        ],
      },
    });
    const server = await Scripted.listen(() => undefined);
    const result = await replay(
      server.url,
      recording.records,
      '-H Authorization:Basic --subprotocol other',
      pool,
    );
    const moved = await replay(`${server.url}staging?a=b`, recording.records, '', pool);
    server.close();
    assertClean(result);
    assertClean(moved);
    const [first, second] = server.requests;
    assert.equal(first!.url, '/chat?room=1&x=%20y');
    assert.equal(first!.headers.origin, 'https://page.example');
    assert.equal(first!.headers['user-agent'], 'recorded');
    assert.equal(first!.headers.authorization, 'Basic');
    assert.equal(first!.headers.cookie, undefined);
    assert.match(first!.headers.host!, /^127\.0\.0\.1:/);
    assert.equal(first!.headers['sec-websocket-protocol'], 'other');
    assert.equal(second!.url, '/staging?a=b');
    assert.equal(second!.headers['sec-websocket-protocol'], 'chat');
    assert.ok(
      concernsOf(result)[0]!.startsWith(
        'The recording has no values for cookie, sec-websocket-protocol, authorization, ?token',
      ),
    );
  });

  it('replaces missing payloads by random ones of the recorded size, except with --expect same', async () => {
    const recording = new WrittenRecording({ payload: false });
    const none = { text: undefined, base64: undefined } as object;
    recording
      .session()
      .client(1, 'x'.repeat(300), none)
      .endpoint(2, '12345', none)
      .client(3, Buffer.alloc(70), { ...none, compressed: true, size: 100_000 });
    const sizes: string[] = [];
    const script = (socket: WebSocket): void => {
      socket.on('message', (data, binary) => {
        sizes.push(`${binary ? 'binary' : 'text'} ${(data as Buffer).length}`);
        if (sizes.length === 1) socket.send('12345');
      });
    };
    const result = await against(script, recording);
    assertClean(result);
    assert.deepEqual(sizes, ['text 300', 'binary 100000']);
    assert.ok(concernsOf(result).some((concern) => /whole payload .*: 2\.$/.test(concern)));
    await assert.rejects(
      against(script, recording, '--expect same'),
      /UsageError.*--expect same needs whole payloads/,
    );
  });

  it('compares replies without their redacted parts', async () => {
    const recording = new WrittenRecording({ redact: ['$..sid'] });
    recording
      .session()
      .client(1, 'go')
      .endpoint(2, '0{"sid":"[redacted]","at":17}', { redacted: true })
      .client(3, 'on');
    const script = (socket: WebSocket): void => {
      socket.on('message', () => socket.send('0{"sid":"a1b2","at":99}'));
    };
    const result = await against(script, recording, '--expect same');
    assert.deepEqual([...result.errors.keys()], ['reply: other than recorded']);
    assertClean(await against(script, recording, '--expect same --redact $.at'));
    await assert.rejects(against(script, recording, '--redact $.at'), /--redact needs --expect same/);
    await assert.rejects(
      against(script, recording, '--expect same --redact at'),
      /--redact "at": write a JSON path/,
    );
  });

  it('ends after --duration, even if clients are not finished', async () => {
    const recording = new WrittenRecording();
    recording.session().client(1, 'a').endpoint(2, 'a').client(600_000, 'b').endpoint(600_001, 'b');
    const result = await against(echoTo, recording, '-d 200ms');
    assertClean(result);
    assert.equal(result.replay!.played + result.replay!.failed, 0);
    assert.ok(result.measuredMs >= 199 && result.measuredMs < 300_000);
    assert.ok(concernsOf(result).includes('Clients that were not played to their end: 1.'));
  });

  it('divides the recorded times by --speed', async () => {
    const recording = new WrittenRecording();
    recording.session().client(300_000, 'a').endpoint(300_001, 'a');
    const result = await against(echoTo, recording, '--speed 3000');
    assertClean(result);
    assert.ok(result.measuredMs >= 100, `${result.measuredMs} ms`);
  });

  it('reports a server that refuses the handshake', async () => {
    const server = await Scripted.listen(() => undefined, { path: '/other' });
    const result = await replay(server.url, echoes().records, '', pool);
    server.close();
    assert.deepEqual([...result.errors], [['handshake: 400', 1]]);
    assert.equal(result.replay!.failed, 1);
  });
});
