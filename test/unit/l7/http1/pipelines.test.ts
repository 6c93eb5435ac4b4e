import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exchange } from '../../../../src/l7/contract/exchange.ts';
import { ask, collect, http1Rig, statuses } from './http1-rig.ts';

const keep: (exchange: Exchange) => void = () => undefined;

describe('pipelined requests on an HTTP/1.x connection', () => {
  it('are answered one after another', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    client.say(ask('/1') + ask('/2') + ask('/3').slice(0, 5));
    client.say(ask('/3').slice(5));
    assert.equal(rig.exchanges.length, 1);
    for (const [index, path] of ['/1', '/2', '/3'].entries()) {
      rig.exchanges[index]!.reply.send(200, [], path);
      rig.endTurn();
    }
    assert.deepEqual(statuses(client.text), [200, 200, 200]);
    assert.deepEqual(
      rig.exchanges.map(({ head }) => head.path),
      ['/1', '/2', '/3'],
    );
    assert.equal(client.paused, false);
  });

  it('let other connections have their turn', () => {
    const rig = http1Rig();
    const client = rig.connect();
    client.say(ask('/').repeat(100));
    assert.equal(rig.exchanges.length, 8);
    for (let turn = 0; turn < 12; turn++) rig.nextTurn();
    assert.equal(rig.exchanges.length, 100);
    assert.deepEqual(statuses(client.text), new Array(100).fill(200));
  });

  it('lose only the connection whose request throws', () => {
    const rig = http1Rig(({ head, reply }) => {
      if (head.path === '/bad') throw new Error('broken');
      if (head.path === '/') reply.send(200, [], '');
    });
    const [first, second] = [rig.connect(), rig.connect()];
    first.say(ask('/wait') + ask('/bad'));
    second.say(ask('/wait') + ask('/'));
    for (const { reply } of rig.exchanges.slice()) reply.send(200, [], '');
    rig.endTurn();
    assert.deepEqual([first.destroyed, second.destroyed], [true, false]);
    assert.deepEqual(statuses(second.text), [200, 200]);
    assert.ok(rig.told.includes('fault'));
  });

  it('pause a client that sends many requests without waiting for answers', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    client.say(ask('/').repeat(600));
    client.say(ask('/').repeat(600));
    assert.equal(client.paused, true);
    for (let index = 0; index < 1200; index++) {
      rig.exchanges[index]!.reply.send(204, [], '');
      rig.endTurn();
    }
    assert.equal(rig.exchanges.length, 1200);
    assert.equal(client.paused, false);
  });

  it('limit reads from an unanswered client to 16 KiB, but read a body in large pieces', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    let sent = 0;
    for (; !client.paused; sent++) {
      const most = client.owner!.maxReadBytes!();
      assert.ok(most > 0 && most <= 16 * 1024);
      client.say(ask('/', `X-A: ${'a'.repeat(5000)}`).slice(0, most));
    }
    assert.equal(sent, 5);
    const uploader = rig.connect();
    uploader.say(ask('/', 'Content-Length: 99999'));
    assert.equal(uploader.owner!.maxReadBytes!(), 64 * 1024);
  });

  it('start no request while bytes of the previous answer are buffered', () => {
    const rig = http1Rig();
    const client = rig.connect();
    client.room = 20;
    client.say(ask('/1') + ask('/2'));
    rig.endTurn();
    assert.equal(rig.exchanges.length, 1);
    assert.ok(client.writableLength > 0);
    client.take(Infinity);
    rig.endTurn();
    assert.equal(rig.exchanges.length, 2);
    assert.deepEqual(statuses(client.text), [200, 200]);
  });

  it('pause a client whose second request has an unread body', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';
    client.say(ask('/') + head + 'x'.repeat(40_000));
    rig.exchanges[0]!.reply.send(204, [], '');
    rig.endTurn();
    const { body } = rig.exchanges[1]!;
    assert.equal(body!.waiting, 40_000);
    assert.equal(client.paused, true);
    collect(body!, () => undefined);
    assert.equal(client.paused, false);
  });
});

describe('input of an HTTP/1.x connection', () => {
  const INPUT = [
    ask('/1'),
    'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    '\r\nPOST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n',
    'HEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n',
    ask('/5', 'Bad Name: x'),
    ask('/6'),
  ].join('');

  /** Returns what a client gets that sends the input in pieces. @param waits whether answers come in later turns */
  function answersTo(pieces: readonly string[], waits: boolean): string {
    const ready: (() => void)[] = [];
    const rig = http1Rig(({ head, body, reply }) => {
      const send = (text: string): void => void ready.push(() => reply.send(200, [], head.path + text));
      if (body === null) send('');
      else collect(body, send);
      if (!waits) ready.pop()?.();
    });
    const client = rig.connect();
    for (const piece of pieces) client.say(piece);
    for (let turn = 0; turn < 10; turn++) {
      for (const answer of ready.splice(0)) answer();
      rig.endTurn();
    }
    return client.text.replaceAll(/Date: .*/g, 'Date');
  }

  it('has the same meaning however it is split, and whenever the answers come', () => {
    const whole = answersTo([INPUT], false);
    assert.deepEqual(statuses(whole), [200, 200, 200, 200, 400]);
    assert.ok(whole.includes('/2hello') && whole.includes('/3abc'));
    for (let at = 1; at < INPUT.length; at++) {
      const pieces = [INPUT.slice(0, at), INPUT.slice(at)];
      assert.equal(answersTo(pieces, true), whole, `cut at ${at}`);
    }
    assert.equal(answersTo(Array.from(INPUT), true), whole);
  });
});

describe('an HTTP/1.x connection with a half-closed client', () => {
  it('answers all requests of the client', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    client.say(ask('/1') + ask('/2'));
    client.fin();
    for (const index of [0, 1]) {
      assert.equal(client.destroyed, false);
      rig.exchanges[index]!.reply.send(200, [], 'x');
      rig.endTurn();
    }
    assert.deepEqual(statuses(client.text), [200, 200]);
    assert.equal(client.destroyed, true);
  });

  it('probes by 100 whether the client still exists', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    const old = rig.connect();
    client.say(ask('/'));
    old.say('GET / HTTP/1.0\r\n\r\n');
    rig.pass(60_000);
    for (const each of [client, old]) each.fin();
    rig.pass(900);
    assert.equal(client.text, '');
    rig.pass(200);
    assert.equal(client.text, 'HTTP/1.1 100 Continue\r\n\r\n');
    rig.pass(1_000);
    assert.deepEqual(statuses(client.text), [100, 100]);
    rig.pass(10_000);
    assert.deepEqual(statuses(client.text), [100, 100, 100]);
    assert.equal(old.text, '');
    for (const { reply } of rig.exchanges) reply.send(200, [], '');
    rig.pass(60_000);
    assert.deepEqual(statuses(client.text), [100, 100, 100, 200]);
    assert.deepEqual(statuses(old.text), [200]);
  });
});
