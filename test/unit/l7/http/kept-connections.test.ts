import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endsOf } from '../connection-ends.ts';
import { post, KIB } from './request-rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

interface PostOptions {
  readonly kept?: boolean;
  readonly pooled?: boolean;
  readonly authorization?: string;
  readonly proxyProtocol?: 'off' | 'v1';
  readonly unidentified?: boolean;
  readonly admittedAt?: number;
}

/** A GET that has begun. */
function ask(options: PostOptions): ReturnType<typeof post> {
  return post({}, false, { method: 'GET', bodiless: true, ...options });
}

describe('a kept connection', () => {
  it('starts its wait at the admission of its request', () => {
    const { answerSeconds, pass, sockets } = ask({ pooled: true, admittedAt: -100 });
    pass(200);
    sockets[0]!.say(OK);
    assert.deepEqual(answerSeconds, [0.3]);
  });

  it('starts its wait at the redial if it turns out to be closed', () => {
    const { answerSeconds, pass, sockets } = ask({ pooled: true, admittedAt: -100 });
    pass(200);
    sockets[0]!.owner!.channelClosed(null);
    pass(200);
    sockets[1]!.owner!.upstreamConnected();
    sockets[1]!.say(OK);
    assert.deepEqual(answerSeconds, [0.2]);
  });

  it('loses nothing of a body if it turns out to be closed while more of the body arrives', () => {
    const { body, sockets, held } = post({}, false, { method: 'PUT', kept: true });
    body.come(20 * KIB);
    sockets[0]!.owner!.channelClosed(null);
    assert.equal(sockets.length, 2);
    for (let count = 0; count < 8; count++) body.come(20 * KIB, count === 7);
    sockets[1]!.owner!.upstreamConnected();
    const [, sent = ''] = sockets[1]!.received.split('\r\n\r\n');
    assert.deepEqual([sent.length, held()], [180 * KIB, 1]);
  });

  it('is replaced only at the same endpoint if the request authenticates its connection', () => {
    const { body, sockets, log, held, inUse } = post({}, false, {
      method: 'PUT',
      kept: true,
      authorization: 'NTLM x',
    });
    body.come(1, true);
    assert.equal(inUse(), 1);
    sockets[0]!.owner!.channelClosed(null);
    assert.equal(inUse(), 1);
    sockets[1]!.owner!.channelClosed(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    assert.deepEqual(log, ['endpoint failed: refused', '502', 'done 502']);
    assert.deepEqual([sockets.length, held(), inUse()], [2, 0, 0]);
  });

  it('is read again even if its last response arrived faster than the client took it', () => {
    const { body, client, sockets } = post();
    body.come(1, true);
    const [socket] = sockets;
    socket!.owner!.upstreamConnected();
    client.takes = false;
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n';
    socket!.owner!.channelData(Buffer.from(text), 0, text.length);
    assert.deepEqual([socket!.destroyed, socket!.paused], [false, false]);
  });

  it('frees its endpoint at the end of the response, and ends when the client has taken it', () => {
    const { body, client, sockets, log, held } = post();
    body.come(1, true);
    const [socket] = sockets;
    socket!.owner!.upstreamConnected();
    assert.equal(held(), 1);
    const say = (text: string): void => socket!.owner!.channelData(Buffer.from(text), 0, text.length);
    say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    client.takes = false;
    say('0\r\n\r\n');
    assert.deepEqual([log.at(-1), socket!.destroyed, held()], ['ends', false, 0]);
    client.wake();
    assert.equal(log.at(-1), 'done 200');
  });

  it('is still counted and read if it is bound to the client', () => {
    const { sockets, log, held, inUse } = ask({ kept: true, authorization: 'NTLM x' });
    sockets[0]!.paused = true;
    sockets[0]!.say(OK);
    assert.deepEqual(log, ['connection kept', '200 ok', 'done 200']);
    assert.deepEqual([held(), inUse(), sockets[0]!.destroyed, sockets[0]!.paused], [1, 0, false, false]);
  });

  it("is closed if the endpoint's verification has changed by the time of the response", () => {
    for (const options of [{}, { kept: true, authorization: 'NTLM x' }]) {
      const { sockets, log, endpoint, held } = ask(options);
      sockets[0]!.owner!.upstreamConnected();
      endpoint.tlsGeneration++;
      sockets[0]!.say(OK);
      assert.deepEqual([log, sockets[0]!.destroyed, held()], [['200 ok', 'done 200'], true, 0]);
    }
  });

  it('is kept as long as the endpoint allows', () => {
    const { sockets, pass } = ask({});
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(OK.replace('Content', 'Keep-Alive: timeout=5\r\nContent'));
    pass(3900);
    assert.equal(sockets[0]!.destroyed, false);
    pass(200);
    assert.equal(sockets[0]!.destroyed, true);
  });

  it('saves a dial, except for credentials, which need a fresh connection', () => {
    const plain = ask({ pooled: true });
    assert.deepEqual([plain.spared, plain.sockets.length], [[true], 1]);
    const login = ask({ pooled: true, authorization: 'NTLM x' });
    assert.deepEqual([login.spared, login.sockets.length, login.sockets[0]!.received], [[false], 2, '']);
  });
});

describe('a connection whose response arrives before the whole body was sent', () => {
  it('starts with a PROXY header, and is kept only for its client', () => {
    const header = `first ${endsOf('192.0.2.1').line.trim()}`;
    for (const unidentified of [false, true]) {
      const { sockets, log, spared, held, inUse } = ask({
        pooled: true,
        proxyProtocol: 'v1',
        unidentified,
      });
      assert.deepEqual([log, spared, sockets.length, inUse()], [[header], [false], 2, 1]);
      const socket = sockets[1]!;
      socket.owner!.upstreamConnected();
      socket.owner!.channelData(Buffer.from(OK), 0, OK.length);
      assert.equal(log.includes('connection kept'), !unidentified);
      assert.deepEqual([socket.destroyed, held(), inUse()], [unidentified, unidentified ? 0 : 1, 0]);
    }
  });

  it('carries no other request', () => {
    const { body, sockets, log } = post();
    body.come(16 * KIB);
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(OK);
    assert.deepEqual([log, sockets[0]!.destroyed], [['200 ok', 'done 200'], true]);
  });
});
