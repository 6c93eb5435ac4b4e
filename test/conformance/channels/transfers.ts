/** What crosses channels: order, bounds, backpressure, and the way from one channel to another. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSlab } from '../../../src/l7/buffers/slab.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import type { ChannelOwner } from '../../../src/transport/channel.ts';
import type { ClientChannel } from '../../../src/transport/client-transport.ts';
import { eventually } from '../../support/deadline.ts';
import type { OnEntry } from './half-close.ts';

const MIB = 1024 * 1024;
/** One read, which may wait when the other side stalls; Node's sockets read on for a while. */
const MAX_WAITING_BYTES = 256 * 1024;

const until = (check: () => void): Promise<void> => eventually(check, undefined, 2);

/** Passes everything on to another channel, and stops this one while the other stalls. */
class Passage implements ChannelOwner {
  readonly events: string[] = [];
  readonly source: ClientChannel;
  readonly target: ClientChannel;
  /** How many bytes to splice next; 0 to read. */
  nextSplice: () => number = () => 0;
  canSplice = false;
  spliced = 0;
  forwarded = 0;
  mostWaiting = 0;
  #left = 0;

  constructor(source: ClientChannel, target: ClientChannel) {
    this.source = source;
    this.target = target;
    source.owner = this;
    target.owner = {
      channelData: () => undefined,
      channelDrained: () => {
        this.events.push('drained');
        this.source.resume();
      },
      channelEnded: () => undefined,
      channelClosed: () => {
        this.events.push('target closed');
        this.source.destroy();
      },
    };
    source.resume();
    target.resume();
  }

  channelData(input: Buffer, start: number, end: number): void {
    this.forwarded += end - start;
    this.#left = Math.max(0, this.#left - (end - start));
    const goesOn = this.target.forward(input, start, end);
    this.#after(goesOn);
  }

  channelSpliced(bytes: number, isTaken: boolean): void {
    this.spliced += bytes;
    this.#left -= bytes;
    assert.ok(this.#left >= 0);
    this.#after(isTaken);
  }

  channelEnded(): void {
    this.events.push('ended');
    this.target.end();
  }

  channelClosed(): void {
    this.events.push('closed');
    this.target.destroy();
  }

  #after(goesOn: boolean): void {
    this.mostWaiting = Math.max(this.mostWaiting, this.target.writableLength);
    if (!goesOn) this.source.pause();
    if (this.#left > 0 || this.target.destroyed) return;
    const bytes = this.nextSplice();
    if (bytes === 0 || !this.source.splice(this.target, bytes)) return;
    this.canSplice = true;
    this.#left = bytes;
  }
}

export function describeTransfers(on: OnEntry): void {
  describe('writes', () => {
    it(
      'arrive in order, whatever their sizes, and report when the next may follow',
      on(async (entry) => {
        const { witness, peer } = await entry.connect();
        const hash = createHash('sha256');
        let total = 0;
        let asked = 0;
        const reused = Buffer.alloc(300_000);
        for (let round = 0; round < 120; round++) {
          const size = (round * 7919) % 300_000;
          const bytes = randomBytes(size);
          hash.update(bytes);
          total += size;
          let goesOn: boolean;
          if (round % 2 === 0) {
            goesOn = witness.channel.write(bytes);
          } else {
            bytes.copy(reused);
            goesOn = witness.channel.writeCopy(reused.subarray(0, size));
            reused.fill(0);
          }
          if (goesOn) continue;
          if (asked++ === 0) peer.read();
          const { drains } = witness;
          if (round % 3 === 0) await until(() => assert.ok(witness.drains > drains));
        }
        assert.ok(asked > 0);
        assert.equal(await peer.receives(total), hash.digest('hex'));
        await until(() => assert.equal(witness.channel.writableLength, 0));
      }),
    );

    it(
      'go straight from a buffer if they can, and never overtake others',
      on(async (entry) => {
        const { witness, peer } = await entry.connect();
        const source = createSlab(256 * 1024, unsupportedReason() === null);
        const hash = createHash('sha256');
        let total = 0;
        for (let round = 0; round < 120; round++) {
          const size = 1 + ((round * 7919) % source.bytes.length);
          randomBytes(size).copy(source.bytes);
          hash.update(source.bytes.subarray(0, size));
          total += size;
          const waited = witness.channel.writableLength > 0;
          const sent = witness.channel.sendFrom(source, 0, size);
          assert.ok(sent >= 0 && sent <= size);
          if (waited) assert.equal(sent, 0);
          if (sent < size) witness.channel.writeCopy(source.bytes.subarray(sent, size));
          if (round === 60) peer.read();
        }
        assert.equal(await peer.receives(total), hash.digest('hex'));
        await until(() => assert.equal(witness.channel.writableLength, 0));
        witness.channel.destroy();
        assert.equal(witness.channel.sendFrom(source, 0, 1), 0);
      }),
    );

    it(
      'are ignored behind `end` and after a close',
      on(async (entry) => {
        const { witness, peer } = await entry.connect();
        witness.channel.resume();
        witness.channel.write(Buffer.from('one'));
        witness.channel.end();
        assert.equal(witness.channel.write(Buffer.from('two')), true);
        await peer.read().receivesText('one');
        await peer.ended();
        assert.equal(witness.isClosed, false);
        witness.channel.destroy();
        witness.channel.destroy();
        assert.equal(witness.channel.write(Buffer.from('three')), true);
        assert.equal(witness.channel.writeCopy(Buffer.from('four')), true);
        assert.equal(witness.channel.forward(Buffer.from('five'), 0, 4), true);
        witness.channel.end();
        await until(() => assert.equal(entry.closed.length, 1));
        assert.deepEqual(witness.events, ['closed']);
        assert.equal(witness.error, null);
      }),
    );
  });

  describe('pauses', () => {
    it(
      'stop the client, and lose nothing',
      on(async (entry) => {
        const { witness, peer } = await entry.connect();
        let received = 0;
        witness.onData = (_input, start, end) => {
          received += end - start;
          witness.channel.pause();
        };
        witness.channel.resume();
        peer.flood(Infinity);
        await until(() => assert.ok(received > 0));
        const sent = await peer.floodStops();
        const seen = received;
        peer.stopFlood();
        assert.ok(seen < 2 * MAX_WAITING_BYTES, `${seen} of ${sent} bytes`);
        witness.onData = (_input, start, end) => (received += end - start);
        witness.channel.resume();
        await until(() => assert.ok(received >= sent));
        peer.end();
        await until(() => assert.deepEqual(witness.events, ['ended']));
        assert.equal(received % (64 * 1024), 0);
      }),
    );
  });

  for (const [way, splices] of [
    ['forwarded', 0],
    ['spliced where they can be', 1],
  ] as const) {
    describe(`bytes that are ${way}`, () => {
      const join = async (entry: Parameters<Parameters<OnEntry>[0]>[0]) => {
        const source = await entry.connect();
        const target = await entry.connect();
        const passage = new Passage(source.witness.channel, target.witness.channel);
        let round = 0;
        if (splices > 0)
          passage.nextSplice = () => (round++ % 3 === 0 ? 0 : 1 + ((round * 104_729) % 200_000));
        return { passage, source: source.peer, target: target.peer };
      };

      it(
        'reach a stalling reader in their order, followed by FIN',
        on(async (entry) => {
          const { passage, source, target } = await join(entry);
          // Another connection's bytes come into the same memory meanwhile.
          const noise = await entry.connect();
          noise.witness.onData = () => undefined;
          noise.witness.channel.resume();
          noise.peer.flood(Infinity);
          const sending = source.sendRandom(24 * MIB);
          await until(() => assert.ok(passage.target.writableLength > 0));
          await new Promise((settle) => setTimeout(settle, 100));
          target.read();
          const digest = await sending;
          source.end();
          assert.equal(await target.receives(24 * MIB), digest);
          await target.ended();
          target.end();
          assert.equal(await target.closed(), '');
          assert.ok(passage.mostWaiting <= MAX_WAITING_BYTES, `${passage.mostWaiting} bytes`);
          assert.equal(passage.spliced + passage.forwarded, 24 * MIB);
          assert.equal(passage.spliced > 8 * MIB, passage.canSplice);
          noise.peer.destroy();
          noise.witness.channel.destroy();
          await until(() => assert.equal(entry.closed.length, 3));
        }),
      );

      it(
        'end with either side, at any moment',
        on(async (entry) => {
          for (let round = 0; round < 12; round++) {
            const { passage, source, target } = await join(entry);
            source.flood(Infinity);
            target.socket.once('end', () => target.end());
            if (round % 2 === 0) target.read();
            await until(() => assert.ok(passage.spliced + passage.forwarded > round * 20_000));
            const side = round % 3 === 0 ? source : target;
            if (round % 4 < 2) side.reset();
            else side.destroy();
            // A source that is paused may not show its end before the other side takes bytes.
            if (side === source) target.read();
            source.stopFlood();
            await until(() => assert.equal(passage.target.destroyed, true));
            passage.source.destroy();
            source.destroy();
            target.destroy();
            await until(() => assert.equal(entry.closed.length, 2 * round + 2));
          }
        }),
      );
    });
  }
}
