import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeaderList } from '../../../../../src/l7/contract/http-reply.ts';
import { UwsReply } from '../../../../../src/l7/uws/reply/uws-reply.ts';
import { FakeResponse } from './fake-response.ts';

const FROM_ANYONE: HeaderList = [
  ['server', 'theirs'],
  ['x-app', '1'],
  ['Set-Cookie', 'theirs=1'],
  ['Set-Cookie', 'sticky=1', true],
];
const HEADERS: HeaderList = [['Content-Type', 'text/plain']];
const atOnce = (callback: () => void): void => callback();

describe('UwsReply', () => {
  it('sends a whole response', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', false, atOnce, () => response.stopReading()).send(404, HEADERS, 'gone\n');
    assert.equal(response.head, '404 Not Found\nContent-Type: text/plain\nX-Request-Id: r\n[gone\n]\n');
    assert.equal(response.closesConnection, false);
  });

  it('ends the connection with the response if requested', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', false, atOnce, () => response.stopReading()).send(400, [], '', true);
    assert.equal(response.closesConnection, true);
  });

  it('delays the answer if it ends the connection, and drops it if the client disconnects', () => {
    const waiting: (() => void)[] = [];
    const [first, second] = [new FakeResponse(), new FakeResponse()];
    for (const response of [first, second]) {
      const later = (callback: () => void): unknown => waiting.push(callback);
      const reply = new UwsReply(response, 'r', false, later, () => response.stopReading());
      reply.send(400, [], 'bad', true);
      reply.send(200, [], 'again');
      assert.equal(response.head, '');
    }
    first.abort();
    for (const callback of waiting) callback();
    assert.deepEqual([first.head, second.head], ['', '400 Bad Request\nX-Request-Id: r\n[bad]\n']);
  });

  it('delays the answer with a copy of the body', () => {
    for (const size of [100, 40_000]) {
      const response = new FakeResponse();
      const waiting: (() => void)[] = [];
      const reply = new UwsReply(
        response,
        'r',
        false,
        (callback) => waiting.push(callback),
        () => undefined,
      );
      const lent = Buffer.alloc(size, 'a');
      reply.send(200, [], lent);
      lent.fill('b');
      for (const callback of waiting) callback();
      assert.match(response.piece + response.head, /a{100}/);
      assert.doesNotMatch(response.piece + response.head, /b{100}/);
    }
  });

  it('stops reading before a reply whose connection must end', () => {
    for (const give of [
      (reply: UwsReply) => reply.sendHead(200, [], 3),
      (reply: UwsReply) => {
        reply.begin(200, [], 3);
        reply.write(Buffer.from('abc'));
      },
      (reply: UwsReply) => {
        reply.begin(200, [], null);
        reply.end(Buffer.from('abc'));
      },
    ]) {
      const response = new FakeResponse();
      give(new UwsReply(response, 'r', false, atOnce, () => response.stopReading(), true));
      assert.match(response.head, /^Connection: close$/m);
      assert.deepEqual([response.done, response.isRead], [true, false]);
    }
    const whole = new FakeResponse();
    new UwsReply(whole, 'r', false, atOnce, () => whole.stopReading(), true).send(200, [], 'abc');
    assert.equal(whole.closesConnection, true);
  });

  it('sends a HEAD the length of the body, but not the body', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', true, atOnce, () => response.stopReading()).send(200, HEADERS, 'é');
    assert.equal(response.head, '200 OK\nContent-Type: text/plain\nX-Request-Id: r\nContent-Length: 2\n');
    assert.equal(response.done, true);
    const streamed = new FakeResponse();
    const reply = new UwsReply(streamed, 'r', true, atOnce, () => streamed.stopReading());
    reply.begin(200, [], 1000);
    assert.equal(reply.write(Buffer.alloc(1000)), true);
    assert.equal(streamed.head, '200 OK\nX-Request-Id: r\nContent-Length: 1000\n');
    assert.equal(streamed.sent, 0);
  });

  it('stops reading after a HEAD whose connection must close', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', true, atOnce, () => response.stopReading()).send(400, HEADERS, 'bad\n', true);
    assert.match(response.head, /^Connection: close$/m);
    assert.match(response.head, /^Content-Length: 4$/m);
    assert.deepEqual([response.done, response.isRead], [true, false]);
  });

  it('gives 204 and 304 neither a body nor a length', () => {
    for (const status of [204, 304]) {
      const response = new FakeResponse();
      new UwsReply(response, 'r', false, atOnce, () => response.stopReading(), true).send(
        status,
        [],
        '',
        true,
      );
      assert.equal(response.isRead, false);
      assert.match(response.head, /^\d+ [A-Z][\w ]+\nX-Request-Id: r\nConnection: close\n$/);
      assert.equal(response.done, true);
    }
  });

  it('sends a head alone with the given length', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', true, atOnce, () => response.stopReading()).sendHead(200, [], 12);
    assert.equal(response.head, '200 OK\nX-Request-Id: r\nContent-Length: 12\n');
  });

  for (const [what, give] of [
    ['a whole answer', (reply: UwsReply) => reply.send(502, FROM_ANYONE, 'x')],
    ['an answer that ends its connection', (reply: UwsReply) => reply.send(413, FROM_ANYONE, 'x', true)],
    ['a head alone', (reply: UwsReply) => reply.sendHead(304, FROM_ANYONE, null)],
    [
      'a streamed answer',
      (reply: UwsReply) => {
        reply.begin(200, FROM_ANYONE, null);
        reply.end(Buffer.from('x'));
      },
    ],
    ['a 101', (reply: UwsReply) => reply.switchProtocols(FROM_ANYONE, () => undefined)],
  ] as const) {
    it(`applies the route's edits to ${what}, and keeps sluice's own cookie`, () => {
      const response = new FakeResponse();
      const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
      reply.edits = {
        dropped: new Set(['server', 'set-cookie']),
        added: ['Server', 'edge', 'Vary', 'Origin'],
      };
      give(reply);
      const [, ...lines] = response.head.split('\n');
      assert.deepEqual(lines.slice(0, 5), [
        'x-app: 1',
        'Set-Cookie: sticky=1',
        'Server: edge',
        'Vary: Origin',
        'X-Request-Id: r',
      ]);
    });
  }

  it('omits the request id if the route removes or sets it', () => {
    const response = new FakeResponse();
    const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
    reply.edits = { dropped: new Set(['x-request-id']), added: [] };
    reply.send(200, [], 'x');
    assert.equal(response.head, '200 OK\n[x]\n');
    const other = new FakeResponse();
    const set = new UwsReply(other, 'r', false, atOnce, () => other.stopReading());
    set.edits = { dropped: new Set(['x-request-id']), added: ['x-request-id', 'fixed'] };
    set.send(200, [], 'x');
    assert.equal(other.head, '200 OK\nx-request-id: fixed\n[x]\n');
  });

  it('writes header values as raw bytes that cannot end their line', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', false, atOnce, () => response.stopReading()).send(
      200,
      [
        ['X', 'a\r\nSet-Cookie: b\0\u010a'],
        ['Y', 'caf\xe9\tz'],
      ],
      '',
    );
    assert.equal(response.head, '200 OK\nX: a  Set-Cookie: b  \nY: caf\xe9\tz\nX-Request-Id: r\n[]\n');
  });

  it('does nothing after the reply has ended', () => {
    const response = new FakeResponse();
    const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
    reply.send(200, [], 'first');
    reply.send(200, [], 'second');
    reply.cut('endpoint');
    reply.onAborted(() => assert.fail('the reply was over'));
    assert.equal(response.head, '200 OK\nX-Request-Id: r\n[first]\n');
    assert.equal(reply.aborted, false);
  });
});
