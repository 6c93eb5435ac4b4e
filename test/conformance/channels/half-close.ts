/** Accepting, FIN, resets and closes of clients' channels. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../support/deadline.ts';
import type { Witness, Entry, ResettingPeer } from './rig.ts';

const LARGE = Buffer.alloc(16 * 1024 * 1024);
/** What brings a new channel into a state. */
const STEPS = {
  resume: ({ channel }: Witness) => void channel.resume(),
  pause: ({ channel }: Witness) => void channel.pause(),
  write: ({ channel }: Witness) => void channel.write(LARGE),
  end: ({ channel }: Witness) => void channel.end(),
  'client sends': (_: Witness, peer: ResettingPeer) => peer.send(6),
  'client sends much': (_: Witness, peer: ResettingPeer) => peer.send(200_000),
  'client ends': (_: Witness, peer: ResettingPeer) => peer.end(),
};
type State = readonly [name: string, steps: readonly (keyof typeof STEPS)[]];

/** Makes a test function that gets a listening address. */
export type OnEntry = (test: (entry: Entry) => Promise<void>) => () => Promise<void>;

const text = (witness: Witness): string => witness.received.toString('latin1');
const until = (check: () => void): Promise<void> => eventually(check, undefined, 2);

export function describeHalfClose(on: OnEntry): void {
  describe('accepting', () => {
    it(
      'reports each connection, and reads nothing before it is resumed',
      on(async (entry) => {
        const { witness, peer } = await entry.connect();
        assert.deepEqual(entry.peers, ['127.0.0.1']);
        const [descriptor] = entry.descriptors;
        assert.ok(descriptor === undefined || descriptor > 2);
        peer.send('hello');
        await pause(50);
        assert.equal(text(witness), '');
        witness.channel.resume();
        await until(() => assert.equal(text(witness), 'hello'));
        peer.destroy();
        await until(() => assert.equal(witness.events[0], 'ended'));
        witness.channel.destroy();
        await until(() => assert.deepEqual(entry.closed, [witness.channel]));
      }),
    );

    it(
      'closes the connection of an owner that throws, and keeps accepting',
      on(async (entry) => {
        entry.onAccepted = () => {
          throw new Error('a fault');
        };
        const lost = await entry.connectPeer();
        await lost.read().ended();
        lost.destroy();
        assert.equal(entry.faults.length, 1);
        assert.equal(entry.closed.length, 1);
        entry.onAccepted = (channel) => entry.accepted.push(channel);
        const { witness } = await entry.connect();
        assert.equal(witness.channel.destroyed, false);
      }),
    );
  });

  describe('an owner that throws', () => {
    const fail = (): never => {
      throw new Error('a fault');
    };

    it(
      'loses its connection after bytes or FIN arrived',
      on(async (entry) => {
        const [first, second] = [await entry.connect(), await entry.connect()];
        first.witness.channelData = fail;
        second.witness.channelEnded = fail;
        for (const { witness, peer } of [first, second]) {
          witness.channel.resume();
          peer.read().send('x');
          peer.end();
        }
        await until(() => assert.equal(entry.closed.length, 2));
        assert.match(String(first.witness.error), /a fault/);
        assert.match(String(second.witness.error), /a fault/);
        assert.deepEqual(entry.faults.map(String), ['Error: a fault', 'Error: a fault']);
      }),
    );

    it(
      'hides no close from the owner of the transport',
      on(async (entry) => {
        const { witness, peer } = await entry.connectSystemPeer();
        witness.channelClosed = fail;
        witness.channel.resume();
        peer.reset();
        await until(() => assert.equal(entry.closed.length, 1));
        assert.deepEqual(entry.faults.map(String), ['Error: a fault']);
      }),
    );
  });

  describe('half-closed channels', () => {
    it(
      'answer behind the client’s FIN, and close with `end`',
      on(async (entry) => {
        const { witness, peer } = await entry.connect();
        witness.channel.resume();
        peer.read().send('question');
        peer.end();
        await until(() => assert.deepEqual(witness.events, ['ended']));
        assert.equal(text(witness), 'question');
        assert.equal(witness.channel.destroyed, false);
        assert.equal(witness.channel.write(Buffer.from('answer')), true);
        await peer.receivesText('answer');
        assert.deepEqual(witness.events, ['ended']);
        witness.channel.end();
        assert.equal(await peer.closed(), '');
        await until(() => assert.deepEqual(witness.events, ['ended', 'closed']));
        assert.equal(witness.error, null);
        assert.deepEqual(entry.closed, [witness.channel]);
      }),
    );

    it(
      'send what waits before they close',
      on(async (entry) => {
        const { witness, peer } = await entry.connect();
        witness.channel.resume();
        peer.end();
        await until(() => assert.deepEqual(witness.events, ['ended']));
        const bytes = 16 * 1024 * 1024;
        assert.equal(witness.channel.write(Buffer.alloc(bytes, 'x')), false);
        witness.channel.end();
        assert.equal(witness.channel.destroyed, false);
        await peer.read().receives(bytes);
        assert.equal(await peer.closed(), '');
        await until(() => assert.equal(entry.closed.length, 1));
        assert.equal(witness.error, null);
      }),
    );

    it(
      'receive behind their own FIN, and close with the client’s',
      on(async (entry) => {
        const { witness, peer } = await entry.connect();
        witness.channel.resume();
        witness.channel.write(Buffer.from('bye'));
        witness.channel.end();
        assert.equal(witness.channel.writableEnded, true);
        await peer.read().receivesText('bye');
        await peer.ended();
        peer.send('late');
        await until(() => assert.equal(text(witness), 'late'));
        assert.equal(witness.isClosed, false);
        peer.end();
        await until(() => assert.deepEqual(witness.events, ['ended', 'closed']));
        await until(() => assert.equal(entry.closed.length, 1));
      }),
    );
  });

  describe('broken channels', () => {
    it(
      'give the bytes before a reset, then the error',
      on(async (entry) => {
        const { witness, peer } = await entry.connectSystemPeer();
        peer.send(1000);
        await peer.delivered();
        peer.reset();
        witness.channel.resume();
        await until(() => assert.ok(witness.isClosed));
        assert.equal(witness.received.length, 1000);
        assert.match(String(witness.error), /ECONNRESET/);
        await until(() => assert.equal(entry.closed.length, 1));
      }),
    );

    it(
      'close when a reset follows the client’s FIN',
      on(async (entry) => {
        const { witness, peer } = await entry.connectSystemPeer();
        witness.channel.resume();
        peer.end();
        await until(() => assert.deepEqual(witness.events, ['ended']));
        // The client's kernel answers with a reset.
        peer.close();
        await until(() => {
          witness.channel.write(Buffer.from('answer'));
          assert.ok(witness.isClosed);
        });
        assert.equal(entry.closed.length, 1);
      }),
    );

    closeWhenReset(on, [
      ['that reads', ['resume']],
      ['that is paused', ['resume', 'pause']],
      ['that is paused before bytes that arrived', ['resume', 'pause', 'client sends']],
      ['with bytes that wait', ['resume', 'write']],
      ['with bytes that wait, paused', ['write', 'pause']],
      ['behind its own FIN', ['resume', 'end']],
      ['with bytes that wait behind the client’s FIN', ['resume', 'write', 'client ends']],
    ]);

    it(
      'reset the client if they are told to',
      on(async (entry) => {
        const { witness, peer } = await entry.connectSystemPeer();
        witness.channel.resetAndDestroy();
        assert.equal((await peer.receiveAll()).end, 'ECONNRESET');
        await until(() => assert.deepEqual(witness.events, ['closed']));
        assert.equal(witness.channel.destroyed, true);
        assert.equal(witness.error, null);
        assert.equal(entry.closed.length, 1);
      }),
    );
  });
}

/**
 * Describes resets that system calls report at once, and Node's sockets only when they are written or read
 * again.
 */
export function describeUnreadResets(on: OnEntry): void {
  describe('broken channels that are not read', () => {
    closeWhenReset(on, [
      ['behind the client’s FIN', ['resume', 'client ends']],
      ['behind the client’s FIN, paused', ['resume', 'pause', 'client ends']],
      ['that is paused before many bytes', ['resume', 'pause', 'client sends much']],
    ]);
  });
}

function closeWhenReset(on: OnEntry, states: readonly State[]): void {
  for (const [name, steps] of states) {
    it(
      `close at once when the client resets one ${name}`,
      on(async (entry) => {
        const { witness, peer } = await entry.connectSystemPeer();
        for (const step of steps) STEPS[step](witness, peer);
        // Time in which what the client sends comes.
        await pause(50);
        assert.equal(witness.isClosed, false);
        peer.reset();
        await eventually(() => assert.equal(witness.isClosed, true), 5000, 2);
      }),
    );
  }
}
