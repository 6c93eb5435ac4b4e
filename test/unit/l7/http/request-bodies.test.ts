import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { post, KIB } from './request-rig.ts';

const REFUSED_SLOW = ['408 and close', 'done 408 body_too_slow'];

describe('a request with a body', () => {
  it('takes a connection only after 16 KiB have arrived', () => {
    const { body, sockets, held } = post();
    body.come(1);
    body.come(16 * KIB - 2);
    assert.deepEqual([sockets.length, held()], [0, 0]);
    body.come(1);
    assert.deepEqual([sockets.length, held()], [1, 1]);
    sockets[0]!.owner!.upstreamConnected();
    const [, sent] = sockets[0]!.received.split('\r\n\r\n');
    assert.equal(sent, 'b'.repeat(16 * KIB));
  });

  for (const chunked of [false, true]) {
    it(`takes a connection after all of it has arrived${chunked ? ' in chunks' : ''}`, () => {
      const { body, sockets, held } = post({}, chunked);
      body.come(3);
      assert.equal(held(), 0);
      body.come(2, true);
      assert.equal(held(), 1);
      sockets[0]!.owner!.upstreamConnected();
      const sent = sockets[0]!.received.slice(sockets[0]!.received.indexOf('\r\n\r\n') + 4);
      assert.equal(sent.replaceAll(/[^b]/g, ''), 'bbbbb');
    });
  }

  it('takes a connection at once if all of it arrives before the request starts', () => {
    const { sockets, held } = post({}, false, { early: 5 });
    assert.equal(held(), 1);
    sockets[0]!.owner!.upstreamConnected();
    assert.ok(sockets[0]!.received.endsWith('\r\n\r\nbbbbb'));
  });

  it('ends with its trailers, except edited, reserved and underscore names', () => {
    const { body, sockets } = post({}, true, { dropped: ['x-user'], own: ['x-group'] });
    body.come(KIB, true, [
      ['X-Sum', '1'],
      ['X-User', 'spoofed'],
      ['X_User', 'spoofed'],
      ['X-Group', 'spoofed'],
    ]);
    sockets[0]!.owner!.upstreamConnected();
    assert.ok(sockets[0]!.received.endsWith('\r\n0\r\nX-Sum: 1\r\n\r\n'));
  });

  it('takes a connection at once without a minimum rate', () => {
    const { sockets, held, pass, log } = post({ minBodyRate: 0 });
    assert.deepEqual([sockets.length, held()], [1, 1]);
    sockets[0]!.owner!.upstreamConnected();
    pass(60_000);
    assert.deepEqual(log, []);
  });

  it('counts as buffered while its endpoint is dialled, at any minimum rate', () => {
    for (const minBodyRate of [0, 512]) {
      const { body, buffered } = post({ minBodyRate });
      body.come(20 * KIB);
      assert.equal(buffered(), 20 * KIB);
    }
  });

  it('is refused with 408, without a connection, if 10 seconds brought too little', () => {
    const { body, log, sockets, pass } = post();
    body.come(1);
    pass(9900);
    assert.deepEqual(log, []);
    pass(300);
    assert.deepEqual(log, REFUSED_SLOW);
    assert.equal(sockets.length, 0);
  });

  it('is refused with 408 if it is incomplete at the deadline, at any rate', () => {
    const { body, log, pass } = post({ bodyTimeoutMs: 5_000 });
    for (let second = 0; second < 5; second++) {
      body.come(KIB);
      pass(900);
    }
    assert.deepEqual(log, []);
    pass(700);
    assert.deepEqual(log, ['408 and close', 'done 408 body_timeout']);
  });

  it('is refused if no byte arrives', () => {
    const { log, pass } = post();
    pass(10_200);
    assert.deepEqual(log, REFUSED_SLOW);
  });

  it('may continue while it is just fast enough, and is refused when it becomes slower', () => {
    const { body, log, sockets, held, pass } = post();
    for (let second = 0; second < 60; second++) {
      body.come(520);
      pass(1000);
      if (second === 32) sockets[0]!.owner!.upstreamConnected();
    }
    assert.deepEqual([log, held()], [[], 1]);
    pass(4000);
    assert.deepEqual(log, REFUSED_SLOW);
    assert.deepEqual([held(), sockets[0]!.destroyed], [0, true]);
  });

  it('is never blamed for an endpoint that takes nothing or does not accept', () => {
    const { body, log, sockets, pass } = post({ idleTimeoutMs: 0 });
    body.come(20 * KIB);
    const [socket] = sockets;
    pass(4000);
    socket!.takes = false;
    socket!.owner!.upstreamConnected();
    pass(600_000);
    assert.deepEqual(log, []);
    socket!.takes = true;
    socket!.owner!.channelDrained!();
    // 20 KiB at 512 B/s take 40 seconds.
    pass(39_000);
    assert.deepEqual(log, []);
    pass(2000);
    assert.deepEqual(log, REFUSED_SLOW);
  });

  it('is not blamed after all of it has arrived', () => {
    const { body, log, sockets, pass } = post();
    body.come(5, true);
    sockets[0]!.owner!.upstreamConnected();
    pass(30_000);
    assert.deepEqual(log, []);
  });

  it('has no minimum rate after the endpoint has answered', () => {
    const { body, log, sockets, pass } = post();
    body.come(20 * KIB);
    const { owner } = sockets[0]!;
    owner!.upstreamConnected();
    const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    owner!.channelData(answer, 0, answer.length);
    pass(100_000);
    assert.deepEqual(log, []);
  });

  it('is refused if it is silent for idleTimeout', () => {
    const { body, log, pass } = post({ idleTimeoutMs: 2000 });
    body.come(1);
    pass(2200);
    assert.deepEqual(log, ['408 and close', 'done 408 body_idle']);
  });

  it('is refused if it is too large, before a connection is taken', () => {
    const { body, log, sockets } = post({ maxBodySize: 10 }, true);
    body.come(11);
    assert.deepEqual(log, ['413 and close', 'done 413 body_too_large']);
    assert.equal(sockets.length, 0);
  });

  it('counts its buffered bytes in the budget, until it has ended', () => {
    const { body, log, sockets, buffered, pass } = post();
    body.come(1000);
    assert.equal(buffered(), 1000);
    body.come(19_000);
    assert.equal(buffered(), 20_000);
    sockets[0]!.owner!.upstreamConnected();
    assert.equal(buffered(), 20_000, 'kept for another endpoint');
    pass(100_000);
    assert.deepEqual(log, REFUSED_SLOW);
    assert.equal(buffered(), 0);
  });

  it('is shed if the budget is exhausted', () => {
    const { body, log, buffered, budget } = post();
    body.come(1000);
    budget.resize(10);
    body.come(1);
    assert.deepEqual(log, ['503', 'done 503 buffer_budget']);
    assert.equal(buffered(), 0);
    body.come(20 * KIB);
    assert.equal(buffered(), 0);
  });
});
