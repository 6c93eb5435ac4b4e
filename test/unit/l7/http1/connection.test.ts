import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exchange } from '../../../../src/l7/contract/exchange.ts';
import { ask, collect, http1Rig, statuses } from './http1-rig.ts';

const keep: (exchange: Exchange) => void = () => undefined;

describe('an HTTP/1.x connection', () => {
  it('answers a request in one write', () => {
    const rig = http1Rig(({ reply }) => reply.send(200, [['Content-Type', 'text/plain']], 'hello'));
    const client = rig.connect();
    client.say(ask('/x'));
    assert.equal(client.pieces.length, 1);
    assert.match(
      client.text,
      /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain\r\nX-Request-Id: id\r\nDate: [^\r]+ GMT\r\nContent-Length: 5\r\n\r\nhello$/,
    );
    assert.deepEqual(rig.told, ['opened', 'over']);
  });

  it('reads a request that arrives byte by byte, and the next one', () => {
    const rig = http1Rig();
    const client = rig.connect();
    for (const byte of ask('/a') + ask('/b')) client.say(byte);
    assert.deepEqual(
      rig.exchanges.map(({ head }) => head.path),
      ['/a', '/b'],
    );
    assert.deepEqual(statuses(client.text), [200, 200]);
  });

  it('passes on a body as it arrives, and the request after it', () => {
    const bodies: string[] = [];
    const rig = http1Rig(({ body, reply }) => {
      if (body === null) reply.send(200, [], 'none');
      else
        collect(body, (text) => {
          bodies.push(text);
          reply.send(200, [], text);
        });
    });
    const client = rig.connect();
    client.say(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe`);
    client.say(`llo${ask('/next')}`);
    rig.endTurn();
    client.say(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    );
    assert.deepEqual(bodies, ['hello', 'abcde']);
    assert.deepEqual(statuses(client.text), [200, 200, 200]);
  });

  it('answers 400 to a malformed request, and drops further input', () => {
    const rig = http1Rig();
    const client = rig.connect();
    client.say(`GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${ask('/next')}`);
    assert.deepEqual(statuses(client.text), [400]);
    assert.match(client.text, /\r\nConnection: close\r\n/);
    client.say(ask('/more'));
    assert.equal(rig.exchanges.length, 0);
    assert.equal(client.writableEnded, true);
    assert.equal(client.destroyed, false);
    client.fin();
    assert.equal(client.destroyed, true);
    assert.deepEqual(rig.told, ['opened', 'unused malformed 192.0.2.7 0', 'over', 'closed']);
  });

  it('closes a connection after its last answer if the client does not', () => {
    const rig = http1Rig();
    const client = rig.connect();
    client.say(ask('/', 'Connection: close'));
    assert.match(client.text, /\r\nConnection: close\r\n/);
    rig.pass(1900);
    client.say('more');
    assert.equal(client.destroyed, false);
    rig.pass(200);
    assert.equal(client.destroyed, true);
  });

  it('keeps an HTTP/1.0 connection if the client asks for that', () => {
    const rig = http1Rig();
    const client = rig.connect();
    client.say('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n');
    assert.match(client.text, /\r\nConnection: keep-alive\r\n/);
    client.say('GET / HTTP/1.0\r\n\r\n');
    assert.deepEqual(statuses(client.text), [200, 200]);
    assert.equal(client.writableEnded, true);
  });

  it('closes its sending side after a client that has closed its own', () => {
    for (const bytes of ['', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n']) {
      const client = http1Rig().connect();
      client.say(bytes);
      client.fin();
      assert.deepEqual([client.writableEnded, client.destroyed], [true, true]);
    }
  });

  it('answers 400 to a head or a body that ends too early', () => {
    for (const [bytes, gone] of [
      ['GET / HT', 0],
      ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc', 1],
      ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', 1],
    ] as const) {
      let aborted = 0;
      const rig = http1Rig(({ reply }) => reply.onAborted(() => aborted++));
      const client = rig.connect();
      client.say(bytes);
      client.fin();
      assert.deepEqual(statuses(client.text), [400], bytes);
      assert.equal(aborted, gone, bytes);
      assert.equal(client.destroyed, true);
      assert.equal(rig.told.at(-1), 'closed');
    }
  });

  it('answers 400 to a body whose chunks are malformed', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    client.say('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n');
    assert.deepEqual(statuses(client.text), [400]);
    const { reply } = rig.exchanges[0]!;
    assert.deepEqual([reply.aborted, reply.refusedAs], [true, 400]);
  });

  it('continues a started response if the body breaks', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    client.say('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    const { reply } = rig.exchanges[0]!;
    reply.begin(200, [], 4);
    reply.write(Buffer.from('ab'));
    client.say('xyz\r\n');
    reply.write(Buffer.from('cd'));
    assert.match(client.text, /\r\n\r\nabcd$/);
    assert.equal(client.writableEnded, true);
  });

  it('closes a silent connection, and answers 408 to a head that stays incomplete', () => {
    const rig = http1Rig();
    const silent = rig.connect();
    const slow = rig.connect();
    silent.say('\r\n');
    slow.say('GET /');
    rig.pass(9_900);
    slow.say('x');
    assert.equal(silent.destroyed, false);
    rig.pass(200);
    assert.deepEqual([silent.text, silent.destroyed], ['', true]);
    assert.equal(silent.writableEnded, true, 'close_notify');
    assert.deepEqual(statuses(slow.text), [408]);
    assert.deepEqual(
      rig.told.filter((line) => line.startsWith('unused')),
      ['unused timeout 192.0.2.7 10', 'unused silent 192.0.2.7 10'],
    );
  });

  it('reports how long a connection without a request was open', () => {
    const rig = http1Rig();
    rig.pass(900);
    rig.connect();
    rig.pass(10_100);
    assert.equal(rig.told.at(-2), 'unused silent 192.0.2.7 10');
  });

  it('keeps an idle connection for clientKeepAlive, and gives each head headerTimeout', () => {
    const rig = http1Rig(undefined, { clientKeepAliveMs: 60_000, headerTimeoutMs: 5_000 });
    const idle = rig.connect();
    const slow = rig.connect();
    for (const client of [idle, slow]) client.say(ask('/'));
    rig.pass(59_000);
    slow.say('G');
    rig.pass(1_500);
    assert.deepEqual([idle.writableEnded, idle.destroyed], [true, true]);
    assert.equal(slow.destroyed, false);
    rig.pass(4_000);
    assert.deepEqual(statuses(slow.text), [200, 408]);
    assert.deepEqual(
      rig.told.filter((line) => line.startsWith('unused')),
      [],
    );
  });

  it('ends the connection after the last allowed request', () => {
    const rig = http1Rig(undefined, { maxRequestsPerConnection: 2 });
    const client = rig.connect();
    client.say(ask('/1'));
    assert.equal(client.writableEnded, false);
    client.say(ask('/2'));
    assert.equal(client.writableEnded, true);
    assert.match(client.text, /\r\nConnection: close\r\n/);
  });

  it('ends connections with their answers after the listener has stopped', () => {
    const rig = http1Rig();
    const client = rig.connect();
    rig.listener.stop();
    client.say(ask('/1'));
    assert.match(client.text, /\r\nConnection: close\r\n/);
    assert.equal(client.writableEnded, true);
  });

  it('closes every connection with its listener', () => {
    let aborted = 0;
    const rig = http1Rig(({ reply }) => reply.onAborted(() => aborted++));
    rig.connect();
    rig.connect().say(ask('/'));
    rig.listener.close();
    assert.equal(aborted, 1);
    assert.deepEqual(
      rig.told.filter((line) => line === 'closed'),
      ['closed', 'closed'],
    );
  });

  it('sends 100 when the body is needed, but not before an answer', () => {
    const lines = 'Host: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n';
    const rig = http1Rig(keep);
    const client = rig.connect();
    client.say(`POST / HTTP/1.1\r\n${lines}`);
    assert.equal(client.text, '');
    const { body, reply } = rig.exchanges[0]!;
    collect(body!, (text) => reply.send(200, [], text));
    assert.equal(client.text, 'HTTP/1.1 100 Continue\r\n\r\n');
    client.say('abc');
    assert.deepEqual(statuses(client.text), [100, 200]);

    const refused = rig.connect();
    refused.say(`POST / HTTP/1.1\r\n${lines}`);
    rig.exchanges[1]!.reply.send(404, [], '');
    assert.deepEqual(statuses(refused.text), [404]);
    assert.match(refused.text, /\r\nConnection: close\r\n/);

    const strange = rig.connect();
    strange.say('GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n');
    assert.deepEqual(statuses(strange.text), [417]);
  });

  it('drops the rest of an unwanted body, and reads the next request', () => {
    const rig = http1Rig();
    const client = rig.connect();
    client.say('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc');
    assert.deepEqual(statuses(client.text), [200]);
    for (let left = 100_000 - 3; left > 0; left -= 33) client.say('x'.repeat(Math.min(33, left)));
    client.say(ask('/b'));
    assert.deepEqual(statuses(client.text), [200, 200]);
  });

  it('ends the connection if the rest of an unwanted body does not arrive', () => {
    const rig = http1Rig();
    const client = rig.connect();
    client.say('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc');
    rig.pass(31_000);
    assert.equal(client.writableEnded, true);
    const hurried = http1Rig(undefined, { bodyTimeoutMs: 4000 });
    const slow = hurried.connect();
    slow.say('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc');
    hurried.pass(5000);
    assert.equal(slow.writableEnded, true);
    const large = rig.connect();
    large.say(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${2 ** 40}\r\n\r\nabc`);
    assert.match(large.text, /\r\nConnection: close\r\n/);
  });

  it('pauses a client whose body is not read', () => {
    const rig = http1Rig(keep);
    const client = rig.connect();
    client.say('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    client.say('x'.repeat(40_000));
    assert.equal(client.paused, true);
    let size = 0;
    rig.exchanges[0]!.body!.read({
      requestData: (bytes) => {
        size += bytes.length;
      },
      requestEnd: keep as () => void,
    });
    assert.equal(size, 40_000);
    assert.equal(client.paused, false);
  });

  it('notifies its requests that the client has disconnected', () => {
    let aborted = 0;
    const rig = http1Rig(({ reply }) => reply.onAborted(() => aborted++));
    const client = rig.connect();
    client.say(ask('/'));
    client.break();
    assert.equal(aborted, 1);
    assert.deepEqual(rig.told, ['opened', 'over', 'closed']);
  });
});
