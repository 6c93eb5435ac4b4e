import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KIB, post } from './request-rig.ts';

const REFUSED = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A request without a body that has begun. */
function ask(
  method: string,
  options: { kept?: boolean; endpoints?: number; authorization?: string } = {},
): ReturnType<typeof post> {
  return post({}, false, { method, bodiless: true, ...options });
}

describe('an endpoint that cannot be dialled', () => {
  it('is replaced by another one for any method', () => {
    for (const method of ['GET', 'POST']) {
      const { sockets, log, failures, held } = ask(method);
      sockets[0]!.owner!.channelClosed(REFUSED);
      assert.deepEqual([failures, sockets.length, held()], [['connect ECONNREFUSED', 'connect'], 2, 1]);
      sockets[1]!.owner!.upstreamConnected();
      sockets[1]!.say(OK);
      assert.deepEqual(log.slice(1), ['200 ok', 'done 200']);
    }
  });

  it('is replaced after connectTimeout', () => {
    const { sockets, failures, pass } = ask('POST');
    pass(4900);
    assert.equal(sockets.length, 1);
    pass(200);
    assert.deepEqual([sockets.length, sockets[0]!.destroyed], [2, true]);
    assert.deepEqual(failures, ['the endpoint did not accept the connection in time', 'connect']);
  });

  it('causes a 502 if it is the last', () => {
    const { sockets, log, held } = ask('GET', { endpoints: 1 });
    sockets[0]!.owner!.channelClosed(REFUSED);
    assert.deepEqual([log, held()], [['endpoint failed: refused', '502', 'done 502'], 0]);
  });

  it("passes the request's body on to its replacement", () => {
    const { body, sockets } = post();
    body.come(16 * KIB);
    sockets[0]!.owner!.channelClosed(REFUSED);
    body.come(4 * KIB);
    sockets[1]!.owner!.upstreamConnected();
    assert.equal(sockets[1]!.received.split('\r\n\r\n')[1], 'b'.repeat(20 * KIB));
  });
});

describe('an endpoint that fails before it answers', () => {
  it('is replaced if the method may be repeated', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']) {
      const { sockets, failures } = ask(method);
      sockets[0]!.owner!.upstreamConnected();
      sockets[0]!.owner!.channelClosed(RESET);
      assert.deepEqual([failures, sockets.length], [['read ECONNRESET', 'reset'], 2], method);
    }
  });

  it('causes a 502 if the method may not be repeated', () => {
    for (const method of ['POST', 'PATCH']) {
      const { sockets, log, held } = ask(method);
      sockets[0]!.owner!.upstreamConnected();
      sockets[0]!.owner!.channelEnded();
      assert.deepEqual([log, sockets.length, held()], [['endpoint failed: reset', '502', 'done 502'], 1, 0]);
    }
  });

  it('causes a 502 if the body is no longer available', () => {
    for (const [size, dials] of [
      [64 * KIB, 2],
      [64 * KIB + 1, 1],
    ] as const) {
      const { body, sockets } = post({}, false, { method: 'PUT' });
      body.come(16 * KIB);
      sockets[0]!.owner!.upstreamConnected();
      body.come(size - 16 * KIB);
      sockets[0]!.owner!.channelClosed(RESET);
      assert.equal(sockets.length, dials);
    }
  });

  it('is the only one to get the credentials of a connection', () => {
    const { sockets, log } = ask('GET', { authorization: 'NTLM x' });
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.owner!.channelClosed(RESET);
    assert.deepEqual([log, sockets.length], [['endpoint failed: reset', '502', 'done 502'], 1]);
  });

  it('causes a 504 if it exceeds requestTimeout', () => {
    const { sockets, log, failures, pass } = ask('GET');
    sockets[0]!.owner!.upstreamConnected();
    pass(59_900);
    assert.deepEqual(log, []);
    pass(200);
    assert.deepEqual(log, ['endpoint failed: timeout', '504', 'done 504']);
    assert.deepEqual(failures, ['the endpoint did not answer in time', 'counts as nothing']);
  });

  it('causes a 504 if it does not read the request for idleTimeout', () => {
    const { body, sockets, log, failures, pass } = post({ idleTimeoutMs: 2000 });
    body.come(16 * KIB);
    sockets[0]!.takes = false;
    sockets[0]!.owner!.upstreamConnected();
    pass(2200);
    assert.deepEqual(log, ['endpoint failed: timeout', '504', 'done 504']);
    assert.deepEqual(failures, ['counts as nothing']);
  });
});

describe('an invalid response', () => {
  it('is not retried, and counts as no outlier failure', () => {
    const { sockets, log, failures } = ask('GET');
    sockets[0]!.owner!.upstreamConnected();
    sockets[0]!.say('no HTTP\r\n');
    assert.deepEqual([log, sockets.length], [['endpoint failed: handshake', '502', 'done 502'], 1]);
    assert.deepEqual(failures, ['malformed response head', 'counts as nothing']);
  });
});

describe('a kept connection that turns out to be closed', () => {
  it('is replaced at the same endpoint without a failure', () => {
    const { sockets, log, failures, held } = ask('GET', { kept: true });
    sockets[0]!.owner!.channelClosed(RESET);
    assert.deepEqual([sockets.length, failures, held()], [2, [], 1]);
    sockets[1]!.owner!.upstreamConnected();
    sockets[1]!.say(OK);
    assert.deepEqual(log, ['200 ok', 'done 200']);
  });

  it('is an uncounted failure if the request may not be repeated', () => {
    const { sockets, log, failures } = ask('POST', { kept: true });
    sockets[0]!.owner!.channelEnded();
    assert.equal(sockets.length, 1);
    assert.deepEqual(log, ['endpoint failed: reset', '502', 'done 502']);
    assert.equal(failures.at(-1), 'counts as nothing');
  });
});

describe('a kept connection that was open', () => {
  it('has failed if it closes inside the answer, and the request is not retried', () => {
    for (const method of ['GET', 'POST']) {
      const { sockets, log, failures } = ask(method, { kept: true });
      sockets[0]!.say(OK.slice(0, 20));
      sockets[0]!.owner!.channelClosed(RESET);
      assert.equal(sockets.length, 1);
      assert.deepEqual(log, ['endpoint failed: reset', '502', 'done 502']);
      assert.deepEqual(failures, ['read ECONNRESET', 'reset']);
    }
  });

  it('has failed unless it ends by a reset, and another endpoint gets the request', () => {
    const { sockets, failures } = ask('GET', { kept: true });
    const lost = Object.assign(new Error('read EHOSTUNREACH'), { code: 'EHOSTUNREACH' });
    sockets[0]!.owner!.channelClosed(lost);
    assert.deepEqual([failures, sockets.length], [['read EHOSTUNREACH', 'reset'], 2]);
  });
});

describe('a client that disconnects', () => {
  it('ends the request in every state without blame for an endpoint', () => {
    for (const stage of ['dialling', 'waiting', 'answering'] as const) {
      const { client, sockets, log, failures, held } = ask('GET');
      if (stage !== 'dialling') sockets[0]!.owner!.upstreamConnected();
      if (stage === 'answering')
        sockets[0]!.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
      client.go();
      assert.equal(log.at(-1), stage === 'answering' ? 'done 200' : 'done 499');
      assert.deepEqual([sockets[0]!.destroyed, failures, held()], [true, [], 0]);
      client.go();
      assert.equal(log.filter((line) => line.startsWith('done')).length, 1);
    }
  });

  it('ends a request whose body has not arrived', () => {
    const { body, client, log, sockets } = post();
    body.come(1);
    client.go();
    body.come(20 * KIB);
    assert.deepEqual([log, sockets.length], [['done 499'], 0]);
  });

  it('counts as a body that the engine refused', () => {
    const { body, client, log } = post();
    body.come(1);
    client.refusedAs = 400;
    client.go();
    assert.deepEqual(log, ['done 400 bad_framing']);
  });
});

describe('the reason in the access line and event of a failed request', () => {
  const asked = (options: Parameters<typeof ask>[1] = {}): ReturnType<typeof post> => {
    const world = ask('POST', options);
    world.sockets[0]?.owner!.upstreamConnected();
    return world;
  };

  it('equals that of a handshake with the same failure', () => {
    const unreached = ask('GET', { endpoints: 1 });
    unreached.sockets[0]!.owner!.channelClosed(REFUSED);
    const none = ask('GET', { endpoints: 0 });
    const reset = asked();
    reset.sockets[0]!.owner!.channelClosed(RESET);
    const garbage = asked();
    garbage.sockets[0]!.say('no HTTP\r\n');
    const late = asked();
    late.pass(61_000);
    const left = asked();
    left.request.cancel();
    assert.deepEqual(
      [unreached, none, reset, garbage, late, left].map(({ reasons }) => reasons),
      [
        ['dial_failed: the endpoint cannot be reached'],
        ['no_endpoint: no endpoint is available'],
        ['reset: the endpoint closed without an answer'],
        ['bad_response: the endpoint sent an invalid answer'],
        ['timeout: the endpoint did not answer in time'],
        ['draining: the proxy is draining'],
      ],
    );
  });

  it("is the label of the body's refusal", () => {
    const { body, reasons } = post({ maxBodySize: 1 });
    body.come(2);
    assert.deepEqual(reasons, ['body_too_large: the request body is too large']);
  });

  it('is missing if the endpoint has answered or the client has disconnected', () => {
    const answered = asked();
    answered.sockets[0]!.say('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno');
    const gone = asked();
    gone.client.go();
    assert.deepEqual([answered.reasons, gone.reasons], [[], []]);
  });
});
