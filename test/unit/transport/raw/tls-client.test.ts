import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../../src/loop/event-loop.ts';
import { EAGAIN, ENODATA, EPROTO } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import type { ClientOwner } from '../../../../src/transport/client-transport.ts';
import { RawContext } from '../../../../src/transport/raw/raw-context.ts';
import { TlsClient } from '../../../../src/transport/raw/tls-client.ts';
import { eventually } from '../../../support/deadline.ts';
import { withPair } from '../../sys/pairs.ts';

const KIB = 1024;
const until = (check: () => void): Promise<void> => eventually(check, undefined, 2);

/** A stream that returns what a test has put into it, and takes what the test allows. */
class FakeStream {
  /** What reads return in turn: text, the end, or an error number. */
  readonly results: (string | number)[] = [];
  wantsRead = false;
  wantsWrite = false;
  /** Reads wait until the blocked write is repeated. The write needs no room. */
  wantsRetry = false;
  /** Does not report its results, like OpenSSL after a key update. */
  isSilent = false;
  /** Bytes that can be sent. */
  room = Infinity;
  sent = '';
  notices = 0;
  isFreed = false;
  /** The bytes of the last write, if it was blocked. */
  #blocked = '';

  get hasPending(): boolean {
    return !this.isSilent && this.results.length > 0;
  }

  read(buffer: PinnedBuffer, start: number, end: number): number {
    assert.equal(this.isFreed, false);
    if (this.wantsRetry) return -EAGAIN;
    const next = this.results.shift() ?? -EAGAIN;
    if (typeof next === 'number') return next;
    const text = next.slice(0, end - start);
    if (text.length < next.length) this.results.unshift(next.slice(text.length));
    return buffer.bytes.write(text, start, 'latin1');
  }

  write(buffer: PinnedBuffer, start: number, end: number): number {
    assert.equal(this.isFreed, false);
    const text = buffer.bytes.toString('latin1', start, Math.min(end, start + 16 * KIB));
    assert.ok(text.startsWith(this.#blocked), 'a blocked write is repeated with other bytes');
    this.#blocked = '';
    this.wantsRetry = false;
    if (this.room < text.length) {
      this.#blocked = text;
      return -EAGAIN;
    }
    this.room -= text.length;
    this.sent += text;
    return text.length;
  }

  sendCloseNotify(): number {
    assert.equal(this.isFreed, false);
    this.notices++;
    return this.room < 24 ? -EAGAIN : 0;
  }

  free(): void {
    this.isFreed = true;
  }
}

interface Stage {
  readonly stream: FakeStream;
  readonly channel: TlsClient;
  readonly events: string[];
  /** Lets the client send a byte, which epoll reports. */
  readonly knock: () => void;
  /** Takes that byte. */
  readonly hear: () => void;
  /** Fills the socket, so that epoll reports no room. */
  readonly fill: () => void;
}

function on(test: (stage: Stage) => Promise<void>): () => Promise<void> {
  return () =>
    withPair('IPv4', async ({ client, server }, _sockets, _close, give) => {
      const loop = new EventLoop(new TimerWheel(performance.now()));
      const events: string[] = [];
      const owner = { clientClosed: () => events.push('gone') } as unknown as ClientOwner;
      const stream = new FakeStream();
      const channel = new TlsClient(new RawContext(loop), owner, stream);
      channel.owner = {
        channelData: (input, start, end) => events.push(input.toString('latin1', start, end)),
        channelDrained: () => events.push('drained'),
        channelEnded: () => events.push('ended'),
        channelClosed: (error) => events.push(error === null ? 'closed' : String(error)),
      };
      channel.watch(give(server));
      channel.settle();
      loop.start();
      const byte = new PinnedBuffer(1);
      try {
        const knock = (): void => void byte.send(client, 0, 1);
        const hear = (): void => void byte.recv(server, 0, 1);
        const fill = (): void => {
          const many = new PinnedBuffer(64 * KIB);
          while (many.send(server, 0, many.bytes.length) > 0);
        };
        await test({ stream, channel, events, knock, hear, fill });
        channel.destroy();
        assert.equal(stream.isFreed, true);
        assert.equal(events.at(-1), 'gone');
      } finally {
        loop.close();
      }
    });
}

describe('a TLS channel', { skip: unsupportedReason() ?? false }, () => {
  it(
    "reads OpenSSL's bytes without an event, on resume and after a full read",
    on(async ({ stream, channel, events }) => {
      stream.results.push('a'.repeat(64 * KIB), 'b'.repeat(64 * KIB), 'c');
      channel.resume();
      assert.equal(events.length, 0);
      await until(() => assert.equal(events.join('').length, 128 * KIB + 1));
      assert.deepEqual(
        events.map((text) => [text[0], text.length]),
        [
          ['a', 64 * KIB],
          ['b', 64 * KIB],
          ['c', 1],
        ],
      );
    }),
  );

  it(
    'reads nothing while it is paused, and continues from there',
    on(async ({ stream, channel, events, knock }) => {
      stream.results.push('a'.repeat(64 * KIB), 'b');
      channel.owner!.channelData = (input, start, end) => {
        events.push(input.toString('latin1', start, end));
        channel.pause();
      };
      channel.resume();
      await until(() => assert.equal(events.length, 1));
      knock();
      await new Promise((settle) => setTimeout(settle, 30));
      assert.equal(events.length, 1);
      channel.resume();
      await until(() => assert.equal(events[1], 'b'));
    }),
  );

  for (const [name, result, last] of [
    ['close_notify', 0, ['ended']],
    ['FIN without close_notify', -ENODATA, ['ended']],
    ['a breach', -EPROTO, ['SystemCallError: recv EPROTO', 'gone']],
  ] as const) {
    it(
      `reports ${name} once, after the bytes before it`,
      on(async ({ stream, channel, events }) => {
        stream.results.push('a', 'b', result);
        channel.resume();
        await until(() => assert.deepEqual(events, ['ab', ...last]));
        channel.resume();
        await new Promise((settle) => setTimeout(settle, 30));
        assert.equal(events.length, last.length + 1);
      }),
    );
  }

  it(
    'reads again when there is room, if OpenSSL must send first',
    on(async ({ stream, channel, events, knock }) => {
      channel.resume();
      stream.wantsWrite = true;
      const read = stream.read.bind(stream);
      stream.read = () => {
        // The socket has room, so the next event continues the read.
        stream.read = read;
        stream.results.push('behind');
        return -EAGAIN;
      };
      knock();
      await until(() => assert.deepEqual(events, ['behind']));
    }),
  );

  for (const isPaused of [false, true]) {
    const when = isPaused ? 'when it is resumed' : 'at once';
    it(
      `repeats a blocked write without room if reading waits for it, and resumes reading ${when}`,
      on(async ({ stream, channel, events, knock, fill, hear }) => {
        channel.resume();
        fill();
        stream.room = 0;
        assert.equal(channel.write(Buffer.from('answer')), false);
        stream.wantsRetry = true;
        stream.isSilent = true;
        stream.results.push('behind');
        const read = stream.read.bind(stream);
        stream.read = (...range) => {
          stream.read = read;
          hear();
          if (isPaused) channel.pause();
          return read(...range);
        };
        knock();
        await until(() => assert.equal(stream.wantsRetry, false));
        if (isPaused) {
          assert.deepEqual(events, []);
          channel.resume();
        }
        await until(() => assert.deepEqual(events, ['behind']));
      }),
    );
  }

  it(
    'repeats a blocked write with the same bytes',
    on(async ({ stream, channel, events }) => {
      channel.resume();
      const source = new PinnedBuffer(100 * KIB);
      source.bytes.fill('x');
      stream.room = 20 * KIB;
      // One record goes, the second is blocked.
      assert.equal(channel.sendFrom(source, 0, 40 * KIB), 16 * KIB);
      assert.equal(channel.write(Buffer.from('x'.repeat(24 * KIB))), false);
      for (let count = 0; count < 100; count++)
        assert.equal(channel.write(Buffer.from('y'.repeat(99))), false);
      assert.equal(stream.sent.length, 16 * KIB);
      stream.room = Infinity;
      await until(() => assert.deepEqual(events, ['drained']));
      assert.ok(stream.sent === 'x'.repeat(40 * KIB) + 'y'.repeat(9900));
    }),
  );

  it(
    'continues a write after input arrives, if OpenSSL must read first',
    on(async ({ stream, channel, events, knock }) => {
      channel.pause();
      stream.room = 0;
      stream.wantsRead = true;
      assert.equal(channel.write(Buffer.from('answer')), false);
      await new Promise((settle) => setTimeout(settle, 30));
      assert.equal(stream.sent, '');
      stream.room = Infinity;
      knock();
      await until(() => assert.deepEqual(events, ['drained']));
      assert.equal(stream.sent, 'answer');
    }),
  );

  it(
    'sends close_notify after all bytes, when there is room',
    on(async ({ stream, channel }) => {
      channel.resume();
      stream.room = 0;
      channel.write(Buffer.from('last'));
      channel.end();
      assert.equal(stream.notices, 0);
      stream.room = 4;
      await until(() => assert.ok(stream.notices > 1));
      assert.equal(stream.sent, 'last');
      assert.equal(channel.destroyed, false);
      stream.room = 100;
      const { notices } = stream;
      await until(() => assert.ok(stream.notices > notices));
      stream.results.push(0);
      channel.resume();
      await until(() => assert.equal(channel.destroyed, true));
    }),
  );

  it(
    'sends no unencrypted bytes',
    on(async ({ channel, stream }) => {
      assert.equal(channel.splice(channel, 1000), false);
      assert.equal(stream.sent, '');
      return Promise.resolve();
    }),
  );
});
