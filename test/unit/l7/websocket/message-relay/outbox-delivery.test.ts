import assert from 'node:assert/strict';
import { writeSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Slab } from '../../../../../src/l7/buffers/slab.ts';
import { Outbox, SLAB_BYTES } from '../../../../../src/l7/websocket/message-relay/outbox.ts';
import { PinnedBuffer } from '../../../../../src/sys/memory/pinned-buffer.ts';
import { unsupportedReason } from '../../../../../src/sys/support.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_TEXT,
} from '../../../../../src/wire/frames/opcodes.ts';
import { eventually, within } from '../../../../support/deadline.ts';
import { connection, payloadOf, type Message } from './outbox-connection.ts';

/** Makes a slab whose system call takes a part of the bytes. @param most bytes at once */
function reluctantSlab(most: number): Slab {
  const bytes = Buffer.alloc(SLAB_BYTES);
  return {
    bytes,
    send: (fd, start, end) => {
      try {
        return writeSync(fd, bytes, start, Math.min(end - start, most));
      } catch {
        return -11;
      }
    },
  };
}

const slabs: Readonly<Record<string, (() => Slab) | null>> = {
  'the streams of Node': () => ({ bytes: Buffer.alloc(SLAB_BYTES), send: () => -1 }),
  'a system call': unsupportedReason() === null ? () => new PinnedBuffer(SLAB_BYTES) : null,
  'a system call that takes little': () => reluctantSlab(1000),
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const SIZES = [0, 1, 7, 125, 126, 1000, 16_000, 16_384, 20_000, 65_535, 65_536, 100_001];

for (const [way, create] of Object.entries(slabs)) {
  describe(`an outbox over ${way}`, { skip: create === null ? 'not supported here' : false }, () => {
    const outbox = (): Outbox => new Outbox(create!(), setImmediate);

    it('delivers the frames of a sender in order, whatever their size and mask', async () => {
      const box = outbox();
      const sender = (await connection()).read();
      const sent: Message[] = [];
      for (const mask of [0, 0x12345678, -5]) {
        for (const [index, size] of SIZES.entries()) {
          const message = { opcode: OPCODE_BINARY, payload: payloadOf(index, size) };
          box.send(sender, message.opcode, message.payload, mask);
          sent.push(message);
        }
      }
      for (const opcode of [OPCODE_TEXT, OPCODE_PING, OPCODE_CLOSE]) {
        const message = { opcode, payload: Buffer.from('ok') };
        box.send(sender, opcode, message.payload, 77);
        sent.push(message);
      }
      await sender.receives(sent);
    });

    it('delivers a message larger than its slab, with a mask and without', async () => {
      const box = outbox();
      const sender = await connection();
      const sent: Message[] = [];
      for (const [index, size] of [
        SLAB_BYTES - 15,
        SLAB_BYTES - 14,
        SLAB_BYTES - 13,
        SLAB_BYTES,
        SLAB_BYTES + 1,
        3 * SLAB_BYTES + 3,
      ].entries()) {
        for (const mask of [0, 0x01020304]) {
          const message = { opcode: OPCODE_BINARY, payload: payloadOf(index, size) };
          box.send(sender, OPCODE_TEXT, Buffer.from('before'), mask);
          box.send(sender, message.opcode, message.payload, mask);
          box.send(sender, OPCODE_TEXT, Buffer.from('behind'), mask);
          sent.push({ opcode: OPCODE_TEXT, payload: Buffer.from('before') }, message, {
            opcode: OPCODE_TEXT,
            payload: Buffer.from('behind'),
          });
        }
      }
      await sender.read().receives(sent);
    });

    it('keeps the order of frames per sender', async () => {
      const box = outbox();
      const senders = [(await connection()).read(), (await connection()).read(), (await connection()).read()];
      const sent = senders.map((): Message[] => []);
      for (let number = 0; number < 600; number++) {
        const to = (number * number) % 3 === 0 ? 0 : number % 3;
        const size = number % 50 === 0 ? 30_000 : (number * 37) % 900;
        const message = { opcode: OPCODE_BINARY, payload: payloadOf(number, size) };
        box.send(senders[to]!, message.opcode, message.payload, number % 2 === 0 ? 0 : number * 7_654_321);
        sent[to]!.push(message);
        if (number % 97 === 0) await turn();
      }
      for (const [index, sender] of senders.entries()) await sender.receives(sent[index]!);
    });

    it('changes no byte that is queued for an endpoint that does not read', async () => {
      const box = outbox();
      const slow = await connection();
      const fast = (await connection()).read();
      const sentSlow: Message[] = [];
      const sentFast: Message[] = [];
      const sizes = [10, 300, 4000, 15_000, 40_000];
      let stuck = 0;
      // Some of it after the kernel's buffers are full, so that it waits here.
      for (let number = 0; stuck < 200; number++) {
        const size = sizes[number % sizes.length]!;
        const mask = number % 3 === 0 ? 0 : number * 1_234_567;
        const message = { opcode: OPCODE_BINARY, payload: payloadOf(number, size) };
        box.send(slow, message.opcode, message.payload, mask);
        sentSlow.push(message);
        if (slow.upstream.writableLength > 0) stuck++;
        const other = { opcode: OPCODE_TEXT, payload: payloadOf(number, 100) };
        box.send(fast, other.opcode, other.payload, mask);
        sentFast.push(other);
        if (number % 10 === 0) await turn();
        assert.ok(number < 5000, 'the kernel takes everything');
      }
      assert.ok(slow.blocked > 100);
      await fast.receives(sentFast);
      await slow.read().receives(sentSlow);
    });

    it('reports the number of queued bytes each time', async () => {
      const box = outbox();
      const sender = await connection();
      const payload = payloadOf(1, 60_000);
      for (let count = 0; sender.blocked === 0; count++) {
        box.send(sender, OPCODE_BINARY, payload, 0);
        assert.ok(count < 1000, 'the kernel takes everything');
      }
      const waiting = sender.upstream.writableLength;
      assert.ok(waiting > 0 && waiting <= payload.length + 14);
      box.send(sender, OPCODE_BINARY, payload, 0);
      assert.equal(sender.blocked, 2);
      box.send(sender, OPCODE_BINARY, Buffer.alloc(10), 0);
      box.flush();
      assert.equal(sender.blocked, 3);
      assert.equal(sender.upstream.writableLength, waiting + 60_008 + 16);
    });

    it('reports nothing while the endpoint takes everything', async () => {
      const box = outbox();
      const sender = (await connection()).read();
      for (let number = 0; number < 20; number++) box.send(sender, OPCODE_TEXT, payloadOf(number, 30), 0);
      box.flush();
      await eventually(() => assert.equal(sender.messages.length, 20));
      if (way !== 'a system call that takes little') assert.equal(sender.blocked, 0);
      assert.equal(sender.upstream.writableLength, 0);
    });

    it('drops only frames for a socket that was destroyed or ended', async () => {
      const box = outbox();
      const destroyed = await connection();
      const ended = (await connection()).read();
      const alive = (await connection()).read();
      for (const sender of [destroyed, ended, alive]) box.send(sender, OPCODE_TEXT, Buffer.from('first'), 0);
      box.flush();
      box.send(destroyed, OPCODE_TEXT, Buffer.from('gathered'), 0);
      destroyed.upstream.destroy();
      for (const size of [10, 20_000, SLAB_BYTES + 1]) {
        box.send(destroyed, OPCODE_TEXT, Buffer.alloc(size), 1);
      }
      ended.upstream.end();
      for (const size of [10, 20_000, SLAB_BYTES + 1]) box.send(ended, OPCODE_TEXT, Buffer.alloc(size), 1);
      box.send(alive, OPCODE_TEXT, Buffer.from('second'), 0);
      const expect = (text: string): Message => ({ opcode: OPCODE_TEXT, payload: Buffer.from(text) });
      await alive.receives([expect('first'), expect('second')]);
      await eventually(() => assert.ok(ended.endpoint.readableEnded));
      assert.deepEqual(ended.messages, [expect('first')]);
      assert.deepEqual([destroyed.blocked, ended.blocked], [0, 0]);
    });

    it('survives an endpoint that resets the connection', async () => {
      const box = outbox();
      const reset = await connection();
      const alive = (await connection()).read();
      const closed = new Promise<void>((resolve) => reset.upstream.once('close', () => resolve()));
      reset.endpoint.resetAndDestroy();
      const end = performance.now() + 10_000;
      while (!reset.upstream.destroyed && performance.now() < end) {
        box.send(reset, OPCODE_TEXT, Buffer.alloc(500), 0);
        box.send(reset, OPCODE_TEXT, Buffer.alloc(50_000), 0);
        await turn();
      }
      await within('the reset', closed);
      box.send(alive, OPCODE_TEXT, Buffer.from('still here'), 0);
      await alive.receives([{ opcode: OPCODE_TEXT, payload: Buffer.from('still here') }]);
    });

    for (const flushes of [true, false]) {
      it(`may be used inside its report of queued bytes (${flushes ? 'flushed' : 'not flushed'} there)`, async () => {
        const box = outbox();
        const slow = await connection();
        const closing = (await connection()).read();
        const third = (await connection()).read();
        const sentSlow: Message[] = [];
        const sentThird: Message[] = [];
        const bye = { opcode: OPCODE_CLOSE, payload: Buffer.from('bye') };
        slow.onBlocked = () => {
          slow.onBlocked = null;
          box.send(closing, bye.opcode, bye.payload, 5);
          if (flushes) box.flush();
        };
        for (let number = 0; slow.blocked < 20; number++) {
          const message = { opcode: OPCODE_BINARY, payload: payloadOf(number, 15_000) };
          box.send(slow, message.opcode, message.payload, 0);
          sentSlow.push(message);
          // Another sender, so that the flush happens within its send.
          const other = { opcode: OPCODE_TEXT, payload: payloadOf(number, 50) };
          box.send(third, other.opcode, other.payload, 0);
          sentThird.push(other);
          assert.ok(number < 5000, 'the kernel takes everything');
        }
        assert.equal(slow.onBlocked, null);
        await third.receives(sentThird);
        await closing.receives([bye]);
        await slow.read().receives(sentSlow);
      });
    }
  });
}
