import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { post, KIB } from './request-rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** A GET that its endpoint has got. */
function asked(options: Parameters<typeof post>[2] = {}): ReturnType<typeof post> {
  const rig = post({}, false, { method: 'GET', bodiless: true, ...options });
  rig.sockets[0]!.owner!.upstreamConnected();
  return rig;
}

describe('a request of a worker', () => {
  it('is cancelled at the end of the worker, until it has ended', () => {
    const { requests, log, sockets } = asked();
    assert.equal(requests.size, 1);
    for (const request of requests) request.cancel();
    assert.deepEqual([log, sockets[0]!.destroyed, requests.size], [['503', 'done 503'], true, 0]);
  });

  it('is not cancelled once its response was sent to the client', () => {
    const { requests, log, sockets } = asked();
    sockets[0]!.say(OK);
    assert.deepEqual([log, requests.size], [['200 ok', 'done 200'], 0]);
  });
});

describe('a response', () => {
  for (const version of ['1.0', '1.1']) {
    it(`gets a Via header of HTTP/${version} if its endpoint speaks that version and the listener adds Via`, () => {
      const text = OK.replace('1.1', version);
      const { log, sockets } = asked({ via: true });
      sockets[0]!.say(text);
      assert.deepEqual(log, [`Via: ${version} sluice`, '200 ok', 'done 200']);
      const without = asked();
      without.sockets[0]!.say(text);
      assert.deepEqual(without.log, ['200 ok', 'done 200']);
    });
  }

  it('has the sticky cookie for its endpoint', () => {
    const { log, sockets } = asked({ cookie: 'lb=e' });
    sockets[0]!.say(OK);
    assert.deepEqual(log, ['Set-Cookie: lb=e', '200 ok', 'done 200']);
  });

  it('reports its status to outlier detection once', () => {
    const { statuses, sockets } = asked();
    sockets[0]!.say(OK.slice(0, 20));
    assert.deepEqual(statuses, []);
    sockets[0]!.say(OK.slice(20));
    assert.deepEqual(statuses, [200]);
  });

  it('measures the time since the dial', () => {
    const { answerSeconds, pass, sockets } = post({}, false, { method: 'GET', bodiless: true });
    pass(300);
    sockets[0]!.owner!.upstreamConnected();
    pass(200);
    sockets[0]!.say(`HTTP/1.1 103 Early Hints\r\n\r\n${OK.slice(0, -2)}`);
    pass(400);
    sockets[0]!.say('ok');
    assert.deepEqual(answerSeconds, [0.5]);
  });

  it('measures the time of its last endpoint, without failed attempts', () => {
    const { answerSeconds, pass, sockets } = post({}, false, { method: 'GET', bodiless: true });
    pass(300);
    sockets[0]!.owner!.channelClosed(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    pass(200);
    sockets[1]!.owner!.upstreamConnected();
    sockets[1]!.say(OK);
    assert.deepEqual(answerSeconds, [0.2]);
  });

  it('measures the time since the whole body was sent, because the client may be slow', () => {
    const { answerSeconds, body, pass, sockets } = post();
    body.come(20 * KIB);
    sockets[0]!.owner!.upstreamConnected();
    pass(300);
    body.come(1, true);
    pass(200);
    sockets[0]!.say(OK);
    assert.deepEqual(answerSeconds, [0.2]);
  });

  it('follows the interim responses of its endpoint', () => {
    const { log, sockets } = asked({ via: true });
    sockets[0]!.say('HTTP/1.1 103 Early Hints\r\nLink: a\r\nConnection: x-b\r\nX-B: 1\r\n\r\n');
    assert.deepEqual(log, ['informs 103 Link a']);
    sockets[0]!.say(OK);
    assert.deepEqual(log.slice(1), ['Via: 1.1 sluice', '200 ok', 'done 200']);
  });

  it('ends with the trailers of its endpoint', () => {
    const { log, sockets } = asked();
    sockets[0]!.say(`${CHUNKED}1\r\na\r\n0\r\nX-Sum: 1\r\nContent-Type: b\r\n\r\n`);
    assert.deepEqual(log, ['begins 200', 'ends, X-Sum: 1', 'done 200']);
  });

  it('announces its trailers if the engine sends them', () => {
    for (const hasTrailers of [true, false]) {
      const { client, log, sockets } = asked();
      client.hasTrailers = hasTrailers;
      sockets[0]!.say(CHUNKED.replace('\r\n\r\n', '\r\ntrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\n\r\n'));
      assert.equal(log.includes('Trailer: X-Sum'), hasTrailers);
    }
  });

  for (const [what, text, delay] of [
    ['chunked', CHUNKED, 1000],
    ['with a known length', OK.slice(0, -2), 1000],
    ['an event stream', CHUNKED.replace('\r\n', '\r\nContent-Type: text/event-stream\r\n'), 0],
  ] as const) {
    it(`that is ${what} sends its head alone after ${delay} ms without a body`, () => {
      const { client, log, sockets, pass } = asked();
      client.takesHeads = true;
      sockets[0]!.say(text);
      if (delay > 0) {
        pass(delay - 100);
        assert.deepEqual(log, []);
        pass(300);
      }
      assert.deepEqual(log, ['head 200']);
      sockets[0]!.say(
        text === CHUNKED ? '1\r\na\r\n0\r\n\r\n' : text.includes('Length') ? 'ok' : '0\r\n\r\n',
      );
      assert.equal(log.at(-1), 'done 200');
      assert.equal(log.filter((line) => line === 'head 200' || line === 'begins 200').length, 1);
    });
  }

  it('starts with a comment if it is an event stream whose head cannot be sent alone', () => {
    const { log, sockets } = asked();
    sockets[0]!.say(CHUNKED.replace('\r\n', '\r\nContent-Type: text/event-stream\r\n'));
    assert.deepEqual(log, ['begins 200', 'writes :\n\n']);
  });

  it('pauses its endpoint only while the client is slow', () => {
    const { client, log, sockets } = asked();
    const [socket] = sockets;
    socket!.say(`${CHUNKED}1\r\na\r\n`);
    assert.equal(socket!.paused, false);
    client.takes = false;
    socket!.say('1\r\nb\r\n');
    assert.equal(socket!.paused, true);
    client.takes = true;
    client.wake();
    assert.equal(socket!.paused, false);
    socket!.say('0\r\n\r\n');
    assert.deepEqual(log, ['begins 200', 'writes a', 'writes b', 'ends', 'done 200']);
  });

  it('makes the engine process the client at each part', () => {
    const { sockets, touched } = asked();
    sockets[0]!.say(CHUNKED);
    const before = touched();
    sockets[0]!.say('1\r\na\r\n');
    assert.equal(touched(), before + 1);
  });

  it('is not bound by requestTimeout if it begins before the whole body has arrived', () => {
    const { body, log, pass, sockets } = post({ requestTimeoutMs: 1000 });
    body.come(16 * KIB);
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say(OK.slice(0, -1));
    body.come(1, true);
    pass(5000);
    sockets[0]!.say('k');
    assert.deepEqual(log, ['begins 200', 'writes o', 'writes k', 'done 200']);
  });
});

describe('the body of a request', () => {
  it('stops counting as buffered when the request has ended', () => {
    const { body, buffered, client } = post();
    body.come(2 * KIB);
    assert.equal(buffered(), 2 * KIB);
    client.go();
    body.come(KIB);
    assert.equal(buffered(), 0);
  });

  it('is read again when the endpoint takes more, and the engine processes the client', () => {
    const { body, sockets, touched } = post();
    body.come(16 * KIB);
    const [socket] = sockets;
    socket!.takes = false;
    socket!.owner!.upstreamConnected();
    body.come(KIB);
    assert.equal(body.waiting, KIB);
    const before = touched();
    socket!.takes = true;
    socket!.owner!.channelDrained!();
    assert.deepEqual([body.waiting, touched()], [0, before + 1]);
  });
});

describe('a request that authenticates its connection', () => {
  const login = { authorization: 'NTLM x', unidentified: true };

  it('waits for the identity of its client before it goes to an endpoint', () => {
    const { sockets, identify, inUse } = post({}, false, { method: 'GET', bodiless: true, ...login });
    assert.equal(sockets.length, 0);
    identify();
    assert.deepEqual([sockets.length, inUse()], [1, 1]);
  });

  it('is not blamed for the duration of the search', () => {
    const { body, identify, log, pass, sockets } = post({}, false, login);
    body.come(16 * KIB);
    pass(100_000);
    assert.deepEqual([log, sockets.length], [[], 0]);
    identify();
    sockets[0]!.owner!.upstreamConnected();
    pass(300);
    assert.deepEqual(log, []);
  });

  it('cancels the search if the client disconnects', () => {
    const { client, log, sockets } = post({}, false, { method: 'GET', bodiless: true, ...login });
    client.go();
    assert.deepEqual([log, sockets.length], [['search ended', 'done 499'], 0]);
  });
});
