/** What puts the idle timeout of a request off, and what comes too late for it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { post, KIB } from './request-rig.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const PART = '1\r\na\r\n';
const IDLE_MS = 1000;

/** A GET that its endpoint has got. */
function asked(): ReturnType<typeof post> {
  const rig = post({ idleTimeoutMs: IDLE_MS }, false, { method: 'GET', bodiless: true });
  rig.sockets[0]!.owner!.upstreamConnected();
  return rig;
}

describe('the idle timeout', () => {
  it('restarts at the head of the response', () => {
    const { log, pass, sockets } = asked();
    pass(3 * IDLE_MS);
    sockets[0]!.say(CHUNKED);
    pass(IDLE_MS - 100);
    assert.deepEqual(log, []);
  });

  it('restarts at each part of the response', () => {
    const { log, pass, sockets } = asked();
    sockets[0]!.say(CHUNKED);
    for (let count = 0; count < 4; count++) {
      pass(IDLE_MS - 300);
      sockets[0]!.say(PART);
    }
    assert.deepEqual(log, ['begins 200', ...Array<string>(4).fill('writes a')]);
  });

  it('restarts when a slow client takes bytes again', () => {
    const { client, log, pass, sockets } = asked();
    client.takes = false;
    sockets[0]!.say(`${CHUNKED}${PART}`);
    pass(IDLE_MS - 300);
    client.takes = true;
    client.wake();
    pass(IDLE_MS - 300);
    assert.deepEqual(log, ['begins 200', 'writes a']);
  });

  it('restarts at each part of the request body', () => {
    const { body, log, pass } = post({ idleTimeoutMs: IDLE_MS });
    for (let count = 0; count < 4; count++) {
      pass(IDLE_MS - 300);
      body.come(KIB);
    }
    assert.deepEqual(log, []);
  });

  it('restarts when the endpoint is connected', () => {
    const { log, pass, sockets } = post({ idleTimeoutMs: IDLE_MS, minBodyRate: 0 });
    pass(3 * IDLE_MS);
    sockets[0]!.owner!.upstreamConnected();
    pass(IDLE_MS - 100);
    assert.deepEqual(log, []);
    pass(300);
    assert.deepEqual(log, ['408 and close', 'done 408 body_idle']);
  });
});

describe('the rest of a body', () => {
  it('is not sent once the response is complete, even if the client is slow to take it', () => {
    const { body, client, sockets } = post();
    body.come(16 * KIB);
    const [socket] = sockets;
    socket!.owner!.upstreamConnected();
    client.takes = false;
    socket!.say(`${CHUNKED}${PART}0\r\n\r\n`);
    const { received } = socket!;
    body.come(KIB);
    assert.equal(socket!.received, received);
  });
});
