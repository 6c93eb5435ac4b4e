import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StreamScanner, type StreamSink } from '../../../../../bench/driver/scanning/stream-scanner.ts';
import {
  HandshakeRequest,
  OpeningHandshake,
} from '../../../../../bench/driver/sessions/opening-handshake.ts';
import { SentRing } from '../../../../../bench/driver/sessions/sent-ring.ts';
import type { Session } from '../../../../../bench/driver/sessions/session.ts';
import { AvailableSessions } from '../../../../../bench/scenarios/available-sessions.ts';
import { Stamp } from '../../../../../bench/scenarios/stamp.ts';
import { acceptKey } from '../../../../../src/wire/upgrade/accept-key.ts';

describe('the ring of messages in flight', () => {
  it('returns the oldest message first, however many are in flight', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(null), fc.nat(1e6))), (steps) => {
        const ring = new SentRing();
        const model: number[] = [];
        for (const step of steps) {
          if (step === null) {
            assert.equal(ring.shift(), model.shift() ?? -1);
          } else {
            ring.push(step);
            model.push(step);
          }
          assert.equal(ring.length, model.length);
        }
      }),
    );
  });
});

describe('the sessions with room for a message', () => {
  it('are taken in the order they were added, each listed only once', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(null), fc.nat(40)), { maxLength: 200 }), (steps) => {
        const sessions = Array.from(
          { length: 41 },
          (_, index) => ({ index, listed: false }) as unknown as Session,
        );
        const available = new AvailableSessions();
        const model: number[] = [];
        for (const step of steps) {
          if (step === null) {
            assert.equal(available.take()?.index, model.shift());
          } else {
            available.add(sessions[step]!);
            if (!model.includes(step)) model.push(step);
          }
        }
      }),
    );
  });
});

describe('the stamp of a fan-out message', () => {
  const stamp = new Stamp('0123456789abcdef');

  it('is printable, and reads back exactly', () => {
    for (const time of [0, 1.5, 123_456_789.123_456, 4e9 / 3]) {
      const message = Buffer.alloc(40, '.');
      stamp.write(message, time);
      assert.match(message.toString(), /^[!-~]{40}$/);
      assert.equal(stamp.read(message, 0, 40), time);
    }
  });

  it('is found inside a message from the server', () => {
    const inner = Buffer.alloc(32);
    stamp.write(inner, 1234.5);
    const outer = Buffer.from(`?{"type":"said","text":"${inner.toString()}"}`);
    assert.equal(stamp.read(outer, 1, outer.length - 1), 1234.5);
  });

  it('is not found if it is missing, incomplete or from another run', () => {
    const other = Buffer.alloc(32);
    new Stamp('fedcba9876543210').write(other, 5);
    const broken = Buffer.alloc(32);
    stamp.write(broken, 5);
    broken[20] = 0x78;
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), other, broken]) {
      assert.equal(stamp.read(bytes, 0, bytes.length), -1);
    }
    const whole = Buffer.alloc(32);
    stamp.write(whole, 5);
    // The rest of the buffer does not belong to this message.
    assert.equal(stamp.read(whole, 0, 31), -1);
    assert.equal(stamp.read(whole, 0, 15), -1);
  });
});

describe('the scanner of a raw connection', () => {
  class Sink implements StreamSink {
    readonly due: number[];
    readonly lines: string[] = [];
    constructor(due: readonly number[]) {
      this.due = [...due];
    }
    expectedReply(): number {
      return this.due[0] ?? 0;
    }
    replyMessage(length: number): void {
      this.due.shift();
      this.lines.push(`message ${length}`);
    }
    replyPing(): void {
      this.lines.push('ping');
    }
    replyPong(): void {
      this.lines.push('pong');
    }
    replyClose(): void {
      this.lines.push('close');
    }
    replyError(reason: string): void {
      this.lines.push(`error ${reason}`);
    }
  }

  it('takes as many bytes as were sent as a reply, wherever reads are split', () => {
    for (const length of [1, 3, 4, 100]) {
      const sink = new Sink([4, 1, 10]);
      const scanner = new StreamScanner(sink);
      for (let left = 15; left > 0; left -= length) scanner.scan(Buffer.alloc(100), Math.min(left, length));
      assert.deepEqual(sink.lines, ['message 4', 'message 1', 'message 10']);
    }
  });

  it('reports an error for bytes that arrive when no reply is due', () => {
    const sink = new Sink([4]);
    const scanner = new StreamScanner(sink);
    scanner.scan(Buffer.alloc(10), 5);
    scanner.scan(Buffer.alloc(10), 5);
    assert.deepEqual(sink.lines, ['message 4', 'error bytes that echo nothing']);
  });
});

describe('the opening handshake', () => {
  const target = { protocol: 'ws', host: 'example.com', port: 8080, path: '/a?b=c' } as const;
  const nonce = Buffer.from('0123456789abcdef');
  const key = nonce.toString('base64');
  const good = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
  ];

  function begin(
    headers: readonly (readonly [string, string])[] = [],
    subprotocols: readonly string[] = [],
  ): OpeningHandshake {
    return new OpeningHandshake(new HandshakeRequest({ target, headers, subprotocols }), nonce);
  }

  function answer(lines: readonly string[], rest = ''): Buffer {
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${rest}`);
  }

  it('requests the target, subprotocols and headers of the plan', () => {
    const lines = begin([['X-Tier', 'gold']], ['a', 'b'])
      .request()
      .toString()
      .split('\r\n');
    assert.equal(lines[0], 'GET /a?b=c HTTP/1.1');
    for (const line of [
      'Host: example.com:8080',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Protocol: a, b',
      'X-Tier: gold',
    ]) {
      assert.equal(lines.filter((other) => other === line).length, 1, line);
    }
    assert.deepEqual(lines.slice(-2), ['', '']);
  });

  it('lets headers from the command line replace its own', () => {
    const text = begin([
      ['HOST', 'other'],
      ['User-Agent', 'me'],
    ])
      .request()
      .toString();
    assert.match(text, /\r\nHOST: other\r\nUser-Agent: me\r\n/);
    assert.doesNotMatch(text, /example\.com|sluice-bench/);
  });

  it('accepts a valid response that arrives byte by byte, and returns the bytes after it', () => {
    const bytes = answer(good, 'rest');
    const handshake = begin();
    const end = bytes.length - 'rest'.length;
    for (let at = 0; at < end - 1; at++) assert.equal(handshake.read(bytes.subarray(at), 1), null);
    assert.equal(String(handshake.read(bytes.subarray(end - 1), 5)), 'rest');
  });

  it('reports what is wrong with a response', () => {
    const wrong: Readonly<Record<string, readonly string[]>> = {
      '404': ['HTTP/1.1 404 Not Found', 'Content-Length: 0'],
      'malformed response head': ['SSH-2.0-OpenSSH'],
      'wrong sec-websocket-accept': [...good.slice(0, 3), 'Sec-WebSocket-Accept: x'],
      'subprotocol that was not offered': [...good, 'Sec-WebSocket-Protocol: c'],
      'extension that was not offered': [...good, 'Sec-WebSocket-Extensions: permessage-deflate'],
    };
    for (const [reason, lines] of Object.entries(wrong)) {
      const bytes = answer(lines);
      assert.equal(begin([], ['a']).read(bytes, bytes.length), reason);
    }
    const endless = Buffer.from(`HTTP/1.1 101 X\r\na: ${'b'.repeat(70_000)}`);
    assert.equal(begin().read(endless, endless.length), 'response head too large');
  });
});
