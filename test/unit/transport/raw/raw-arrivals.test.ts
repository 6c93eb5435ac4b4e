import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../../src/loop/event-loop.ts';
import { Watched } from '../../../../src/loop/poller.ts';
import { EPOLLIN } from '../../../../src/sys/epoll.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import type {
  ArrivalOwner,
  EntryInspector,
  EntryFacts,
  EntryRejection,
  Verdict,
} from '../../../../src/transport/entry.ts';
import { refuseName } from '../../../../src/transport/raw/name-refusal.ts';
import { RawAcceptor } from '../../../../src/transport/raw/raw-acceptor.ts';
import { RawArrivals } from '../../../../src/transport/raw/raw-arrivals.ts';
import { eventually } from '../../../support/deadline.ts';
import { freePorts } from '../../../support/sockets/free-port.ts';
import { SystemPeer } from '../../../support/sockets/system-peer.ts';
import { TcpPeer } from '../../../support/sockets/tcp-peer.ts';

const ENTERS: Verdict = { facts: { peer: '192.0.2.1', address: '192.0.2.1', proxy: null, hello: null } };
const TERMS = {
  proxyProtocol: 'optional',
  trusts: () => true,
  admit: null,
  readsHello: true,
  admitsPostgres: false,
} as const;

/** Takes a header up to `\n`, if the first byte is `P`, and a hello up to `;`. */
class FakeDoor implements EntryInspector {
  static looks: string[] = [];
  /** Whether connections enter whatever they send. */
  static isOpen = false;
  static abandoned = 0;
  #isHello = false;

  look(bytes: Buffer, start: number, end: number): Verdict {
    const text = bytes.toString('latin1', start, end);
    FakeDoor.looks.push(text);
    if (FakeDoor.isOpen) return ENTERS;
    if (text.startsWith('!')) throw new Error('a fault');
    if (text.startsWith('?')) return { reason: 'hello_malformed', detail: 'a question' };
    if (!this.#isHello && text.startsWith('P')) {
      const length = text.indexOf('\n') + 1;
      if (length === 0) return 'more';
      this.#isHello = true;
      return { consume: length, answer: null };
    }
    this.#isHello = text !== '';
    if (!text.includes(';')) return 'more';
    return ENTERS;
  }

  abandon(): void {
    FakeDoor.abandoned++;
  }

  timedOut() {
    return { reason: this.#isHello ? 'hello_timeout' : 'proxy_timeout', detail: 'slow' } as const;
  }

  ended() {
    return { reason: this.#isHello ? 'hello_ended' : 'proxy_ended', detail: 'cut' } as const;
  }
}

/** Counts its events. */
class Taken extends Watched {
  readonly since: number;
  readonly facts: EntryFacts;
  readonly #buffer = new PinnedBuffer(64 * 1024);

  constructor(facts: EntryFacts, since: number) {
    super();
    this.facts = facts;
    this.since = since;
  }

  /** What waits in the socket. */
  read(): string {
    const length = this.#buffer.recv(this.fd, 0, this.#buffer.bytes.length);
    return this.#buffer.bytes.toString('latin1', 0, length);
  }

  override ready(): void {
    // It stays unread.
  }

  override fault(error: unknown): void {
    throw error;
  }
}

class Rig implements ArrivalOwner<Watched> {
  readonly loop = new EventLoop(new TimerWheel(performance.now()));
  readonly arrivals = new RawArrivals(this.loop, this, (_terms, peer) => {
    this.peers.push(peer);
    return new FakeDoor();
  });
  readonly taken: Taken[] = [];
  readonly peers: string[] = [];
  readonly rejections: EntryRejection[] = [];
  readonly losses: unknown[] = [];
  readonly #acceptor: RawAcceptor;
  readonly address: string;
  timeoutMs = 60_000;
  /** What becomes of a connection that has entered. */
  onEntered = (connection: Watched, facts: EntryFacts, since: number): void => {
    const taken = new Taken(facts, since);
    this.loop.poller.adopt(connection, taken);
    this.loop.poller.change(taken, EPOLLIN);
    this.taken.push(taken);
  };

  constructor(port: number) {
    FakeDoor.looks = [];
    FakeDoor.isOpen = false;
    FakeDoor.abandoned = 0;
    this.address = `127.0.0.1:${port}`;
    this.#acceptor = new RawAcceptor(
      this.loop,
      { kind: 'tcp', host: '127.0.0.1', port },
      {
        accepted: (fd) => this.arrivals.take(fd, { ...TERMS, timeoutMs: this.timeoutMs }),
        acceptFailed: () => true,
        acceptFault: (error) => this.losses.push(error),
      },
    );
    this.#acceptor.listen();
  }

  entered(connection: Watched, facts: EntryFacts, since: number): void {
    this.onEntered(connection, facts, since);
  }

  rejected(rejection: EntryRejection): void {
    this.rejections.push(rejection);
  }

  lost(fault: unknown): void {
    this.losses.push(fault);
  }
}

const on =
  (test: (rig: Rig) => Promise<void>): (() => Promise<void>) =>
  async () => {
    const [port = 0] = await freePorts(1);
    const rig = new Rig(port);
    try {
      await test(rig);
    } finally {
      rig.loop.close();
    }
  };

/** Waits for FIN or a reset. */
const gone = (peer: TcpPeer): Promise<void> => until(() => assert.equal(peer.isOpen, false));
const until = (check: () => void): Promise<void> => eventually(check, undefined, 2);

describe('arrivals on system calls', { skip: unsupportedReason() ?? false }, () => {
  it(
    'enter with every byte but the PROXY header',
    on(async (rig) => {
      const peer = await TcpPeer.connect(rig.address);
      peer.send('PROXY\nhello;and more');
      await until(() => assert.equal(rig.taken.length, 1));
      const [taken] = rig.taken;
      assert.deepEqual(rig.peers, ['127.0.0.1']);
      assert.equal(taken!.facts.address, '192.0.2.1');
      assert.ok(taken!.since <= performance.now() && taken!.since > performance.now() - 10_000);
      assert.equal(taken!.read(), 'hello;and more');
      peer.destroy();
    }),
  );

  it(
    'enter byte by byte, with one look per byte, or two for the first',
    on(async (rig) => {
      const peer = await TcpPeer.connect(rig.address);
      // The look at no bytes.
      await until(() => assert.equal(FakeDoor.looks.length, 1));
      for (const byte of 'Px\nab;') {
        const looks = FakeDoor.looks.length;
        peer.send(byte);
        await until(() => assert.ok(FakeDoor.looks.length > looks));
      }
      await until(() => assert.equal(rig.taken.length, 1));
      assert.equal(rig.taken[0]!.read(), 'ab;');
      await pause(30);
      const { looks } = FakeDoor;
      // After the switch to edge-triggered events the kernel reports the first byte again. The second may
      // have arrived by then.
      const isRepeated = looks[2] === looks[1] || looks[2] === looks[3];
      // The header is consumed, and the empty rest looked at.
      assert.deepEqual(isRepeated ? looks.toSpliced(2, 1) : looks, [
        '',
        'P',
        'Px',
        'Px\n',
        '',
        'a',
        'ab',
        'ab;',
      ]);
      peer.destroy();
    }),
  );

  it(
    'enter at once without required bytes',
    on(async (rig) => {
      FakeDoor.isOpen = true;
      const peer = await TcpPeer.connect(rig.address);
      await until(() => assert.equal(rig.taken.length, 1));
      assert.deepEqual(FakeDoor.looks, ['']);
      peer.destroy();
    }),
  );

  for (const [name, bytes, reason] of [
    ['says nothing', '', 'proxy_timeout'],
    ['stops in the middle of a header', 'PROX', 'proxy_timeout'],
    ['stops in the middle of a hello', 'P\nhel', 'hello_timeout'],
  ] as const) {
    it(
      `reject one that ${name}, at its deadline`,
      on(async (rig) => {
        rig.timeoutMs = 150;
        const peer = await TcpPeer.connect(rig.address);
        if (bytes !== '') peer.send(bytes);
        peer.read();
        await gone(peer);
        const [{ seconds, ...rest }] = rig.rejections as [EntryRejection];
        assert.deepEqual(rest, { reason, detail: 'slow', peer: '127.0.0.1' });
        assert.ok(seconds! >= 0.15 && seconds! < 10, `${seconds} s`);
        assert.equal(rig.rejections.length, 1);
      }),
    );
  }

  for (const [name, bytes, reason] of [
    ['before any byte', '', 'proxy_ended'],
    ['in the middle of a header', 'PROX', 'proxy_ended'],
    ['in the middle of a hello', 'P\nhel', 'hello_ended'],
  ] as const) {
    for (const way of ['end', 'reset'] as const) {
      it(
        `notice ${way === 'end' ? 'FIN' : 'a reset'} ${name}`,
        on(async (rig) => {
          const peer = await TcpPeer.connect(rig.address);
          await until(() => assert.equal(rig.peers.length, 1));
          if (bytes !== '') {
            peer.send(bytes);
            await until(() => assert.ok(FakeDoor.looks.length > 0));
          }
          peer.read();
          peer[way]();
          await until(() => assert.equal(rig.rejections.length, 1));
          assert.equal(rig.rejections[0]!.reason, reason);
          await gone(peer);
          assert.equal(rig.taken.length, 0);
        }),
      );
    }
  }

  it(
    'reject FIN with bytes that do not decide',
    on(async (rig) => {
      const peer = await SystemPeer.connect(rig.address);
      peer.send(100);
      peer.end();
      assert.equal((await peer.receiveAll()).bytes, 0);
      assert.equal(rig.rejections[0]!.reason, 'hello_ended');
      peer.close();
    }),
  );

  it(
    'reject refused connections, and bytes longer than the max',
    on(async (rig) => {
      const [bad, long] = [await TcpPeer.connect(rig.address), await TcpPeer.connect(rig.address)];
      bad.read().send('?');
      await gone(bad);
      long.read().send('h'.repeat(100_000));
      await gone(long);
      assert.deepEqual(
        rig.rejections.map(({ reason, detail }) => [reason, detail]),
        [
          ['hello_malformed', 'a question'],
          ['hello_malformed', 'the ClientHello is too long'],
        ],
      );
    }),
  );

  it(
    'lose only the connection that hits an error of the proxy',
    on(async (rig) => {
      const [bad, good] = [await TcpPeer.connect(rig.address), await TcpPeer.connect(rig.address)];
      bad.read().send('!');
      await gone(bad);
      const { onEntered } = rig;
      rig.onEntered = () => {
        throw new Error('another fault');
      };
      const worse = await TcpPeer.connect(rig.address);
      worse.read().send(';');
      await gone(worse);
      rig.onEntered = onEntered;
      good.send('hello;');
      await until(() => assert.equal(rig.taken.length, 1));
      assert.deepEqual(rig.losses.map(String), ['Error: a fault', 'Error: another fault']);
      assert.deepEqual(rig.rejections, []);
      good.destroy();
    }),
  );

  it(
    'close with their listener, and no longer time out',
    on(async (rig) => {
      rig.timeoutMs = 200;
      const peers = [await TcpPeer.connect(rig.address), await TcpPeer.connect(rig.address)];
      await until(() => assert.equal(rig.peers.length, 2));
      rig.arrivals.closeAll();
      for (const peer of peers) await gone(peer.read());
      await pause(400);
      assert.deepEqual(rig.losses, [null, null]);
      assert.deepEqual(rig.rejections, []);
    }),
  );

  it(
    'send an alert for an unknown server name',
    on(async (rig) => {
      rig.onEntered = (connection) => refuseName(rig.loop, connection);
      const peer = await TcpPeer.connect(rig.address);
      peer.read().send(`${'h'.repeat(20_000)};`);
      await peer.receivesText('\x15\x03\x03\x00\x02\x02\x70');
      peer.end();
      assert.equal(await peer.closed(), '');
    }),
  );
});
