import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpReply } from '../../../../../src/l7/contract/http-reply.ts';
import type { FakeChannel } from '../fake-channel.ts';
import { ask, http1Rig, statuses, type Http1Rig } from '../http1-rig.ts';

/** A request that waits for its answer. */
function asked(request = ask('/')): { rig: Http1Rig; client: FakeChannel; reply: HttpReply } {
  const rig = http1Rig(() => undefined);
  const client = rig.connect();
  client.say(request);
  return { rig, client, reply: rig.exchanges[0]!.reply };
}

const OLD = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';
const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

describe('a reply of HTTP/1.x', () => {
  it('sends a body of known length, with the head in the first piece', () => {
    const { rig, client, reply } = asked();
    reply.begin(200, [['A', 'b']], 6);
    assert.deepEqual([client.text, reply.begun], ['', false]);
    assert.equal(reply.write(Buffer.from('abc')), true);
    assert.equal(reply.begun, true);
    reply.write(Buffer.from('def'));
    assert.deepEqual(rig.told, ['opened', 'over']);
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\nA: b\r\n(?:.+\r\n)+Content-Length: 6\r\n\r\nabcdef$/);
    assert.equal(client.pieces.length, 2);
    assert.equal(reply.sent, 6);
  });

  it('sends a body of unknown length in chunks, with its trailers', () => {
    const { client, reply } = asked();
    reply.begin(200, [], null);
    reply.write(Buffer.from('a'.repeat(20)));
    reply.end(Buffer.from('bc'), [['X-Sum', '7']]);
    assert.match(client.text, /\r\nTransfer-Encoding: chunked\r\n/);
    assert.equal(bodyOf(client.text), `14\r\n${'a'.repeat(20)}\r\n2\r\nbc\r\n0\r\nX-Sum: 7\r\n\r\n`);
  });

  it('sends an empty body of unknown length', () => {
    const { client, reply } = asked();
    reply.begin(200, [], null);
    reply.end(null);
    assert.equal(bodyOf(client.text), '0\r\n\r\n');
    assert.equal(client.writableEnded, false);
  });

  it('sends an HTTP/1.0 client no chunks, and ends the body by FIN', () => {
    const { client, reply } = asked(OLD);
    reply.sendInterim(103, []);
    reply.begin(200, [], null);
    reply.write(Buffer.from('abc'));
    reply.end(Buffer.from('def'), [['X-Sum', '7']]);
    assert.equal(bodyOf(client.text), 'abcdef');
    assert.match(client.text, /^(?!.*chunked)(?:.|\r\n)*\r\nConnection: close\r\n/);
    assert.equal(client.writableEnded, true);
  });

  it('sends a HEAD the same head without a body', () => {
    for (const send of [
      (reply: HttpReply) => reply.send(200, [], 'hello'),
      (reply: HttpReply) => reply.begin(200, [], 5),
      (reply: HttpReply) => reply.sendHead(200, [], 5),
    ]) {
      const { rig, client, reply } = asked(HEAD);
      send(reply);
      assert.match(client.text, /\r\nContent-Length: 5\r\n\r\n$/);
      assert.equal(rig.told.at(-1), 'over');
    }
    const { client, reply } = asked(HEAD);
    reply.begin(200, [], null);
    assert.match(client.text, /^(?!.*(?:Content-Length|Transfer-Encoding))(?:.|\r\n)*\r\n\r\n$/);
  });

  it('sends neither body nor length with 204 and 304', () => {
    for (const status of [204, 304]) {
      const { client, reply } = asked();
      reply.send(status, [], 'hello');
      assert.match(client.text, /\r\n\r\n$/);
      assert.doesNotMatch(client.text, /content-length/i);
    }
  });

  it('sends interim responses before the final one', () => {
    const { client, reply } = asked();
    reply.sendInterim(103, [['Link', '</a>']]);
    assert.equal(client.text, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    assert.equal(reply.begun, false);
    reply.send(200, [], '');
    reply.sendInterim(103, []);
    assert.deepEqual(statuses(client.text), [103, 200]);
  });

  it("applies the route's edits, and sends no second Date", () => {
    const { client, reply } = asked();
    reply.edits = { dropped: new Set(['server', 'x-new']), added: ['X-New', 'mine'] };
    reply.send(
      200,
      [
        ['Server', 'theirs'],
        ['x-new', 'theirs'],
        ['X-New', 'kept', true],
        ['date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
      ],
      '',
    );
    const lines = client.text.split('\r\n').slice(1, -2);
    assert.deepEqual(lines, [
      'X-New: kept',
      'date: Thu, 01 Jan 1970 00:00:00 GMT',
      'X-New: mine',
      'X-Request-Id: id',
      'Content-Length: 0',
    ]);
  });

  it('sends a value as raw bytes that cannot start a new line', () => {
    const { client, reply } = asked();
    reply.send(200, [['X', 'caf\u00e9\r\nSet-Cookie: a\u010d\u010a']], '');
    assert.match(client.text, /\r\nX: caf\u00e9 {2}Set-Cookie: a {2}\r\n/);
  });

  it('notifies the writer when a slow client has taken the buffered bytes', () => {
    const { rig, client, reply } = asked();
    let drained = 0;
    client.room = 1000;
    reply.begin(200, [], 150_000);
    assert.equal(reply.write(Buffer.alloc(100_000, 'a')), false);
    reply.whenWritable(() => drained++);
    client.take(50_000);
    assert.equal(drained, 0);
    client.take(200_000);
    assert.equal(drained, 1);
    client.room = 0;
    assert.equal(reply.write(Buffer.alloc(50_000, 'b')), false);
    reply.whenWritable(() => drained++);
    assert.deepEqual(rig.told, ['opened']);
    client.take(1_000_000);
    assert.deepEqual([drained, rig.told.at(-1)], [2, 'over']);
    assert.equal(bodyOf(client.text), 'a'.repeat(100_000) + 'b'.repeat(50_000));
  });

  it('allows the next request after the previous answer was taken', () => {
    const { rig, client, reply } = asked(ask('/1') + ask('/2'));
    client.room = 10;
    reply.send(200, [], 'x'.repeat(100_000));
    rig.endTurn();
    assert.equal(rig.exchanges.length, 1);
    client.take(1_000_000);
    rig.endTurn();
    assert.equal(rig.exchanges.length, 2);
  });

  it('disconnects a client that takes nothing for a minute, but not a slow one', () => {
    const { rig, client, reply } = asked();
    let aborted = 0;
    reply.onAborted(() => aborted++);
    client.room = 0;
    reply.send(200, [], 'x'.repeat(100_000));
    for (let step = 0; step < 20; step++) {
      client.take(10);
      rig.pass(9_000);
    }
    assert.equal(client.destroyed, false);
    rig.pass(75_000);
    assert.deepEqual([client.destroyed, reply.cutBy, aborted], [true, 'client_stalled', 1]);
  });

  it('probes a half-closed client by 100 (Continue), then by leading zeros of a chunk size', () => {
    const { rig, client, reply } = asked();
    client.fin();
    rig.pass(1500);
    assert.equal(client.text, 'HTTP/1.1 100 Continue\r\n\r\n');
    reply.begin(200, [], null);
    reply.write(Buffer.from('abc'));
    rig.pass(12_000);
    reply.write(Buffer.from('de'));
    // Not without a bound: readers bound the digits of a size.
    rig.pass(300_000);
    reply.end(null);
    assert.match(client.text, /\r\n\r\n3\r\nabc\r\n002\r\nde\r\n000000000\r\n\r\n$/);
    assert.deepEqual(rig.told.slice(0, 2), ['opened', 'over']);
  });

  it('sends a half-closed client no probes inside a body without chunks', () => {
    const { rig, client, reply } = asked();
    client.fin();
    reply.begin(200, [], 6);
    reply.write(Buffer.from('abc'));
    rig.pass(30_000);
    reply.write(Buffer.from('def'));
    assert.match(client.text, /\r\n\r\nabcdef$/);
  });

  it('cuts a response by a reset if FIN would end its body', () => {
    for (const [request, isReset] of [
      [ask('/'), false],
      [OLD, true],
    ] as const) {
      const { rig, client, reply } = asked(request);
      let aborted = 0;
      reply.onAborted(() => aborted++);
      reply.begin(200, [], null);
      reply.write(Buffer.from('abc'));
      reply.cut('endpoint');
      assert.deepEqual([client.destroyed, client.isReset, aborted], [true, isReset, 0]);
      assert.deepEqual(rig.told, ['opened', 'over', 'closed']);
      reply.write(Buffer.from('more'));
    }
  });

  it('notifies a waiting writer that the client has disconnected', () => {
    const { client, reply } = asked();
    const told: string[] = [];
    reply.onAborted(() => told.push('aborted'));
    client.room = 0;
    reply.begin(200, [], null);
    reply.write(Buffer.from('abc'));
    reply.whenWritable(() => told.push(`writable ${reply.aborted}`));
    client.break();
    assert.deepEqual(told, ['writable true', 'aborted']);
    reply.onAborted(() => told.push('again'));
    assert.equal(told.at(-1), 'again');
  });

  it('writes a head that is larger than the slab', () => {
    const { client, reply } = asked();
    const long = 'v'.repeat(70_000);
    reply.send(200, [['A', long]], 'body');
    assert.ok(client.text.includes(`A: ${long}\r\n`));
    assert.ok(client.text.endsWith('\r\n\r\nbody'));
  });
});
