import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import {
  BufferBudget,
  type Buffering,
  type ShedReason,
} from '../../../../../src/l7/buffers/buffer-budget.ts';
import type { WireTraits } from '../../../../../src/l7/uws/unfinished/held-bytes.ts';
import {
  SAMPLE_MS,
  UnfinishedMessages,
  type Receiver,
} from '../../../../../src/l7/uws/unfinished/unfinished-messages.ts';
import type { Addressed } from '../../../../../src/l7/uws/clients/hidden-descriptors.ts';
import { SystemCallError } from '../../../../../src/sys/errno.ts';
import { SHED_REASONS } from '../../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../../src/telemetry/metrics/page-metrics.ts';
import type { Logger } from '../../../../../src/telemetry/logger.ts';
import { PageLayout } from '../../../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../../../src/telemetry/stats-page.ts';

const MIB = 1024 * 1024;
const MAX = 4 * MIB;
/** What a new connection has received with the request. */
const HEAD = 200;

/** The system, as far as it knows sockets, memory and the time. */
class System {
  time = 0;
  resident = 100 * MIB;
  readonly received = new Map<number, number>();
  readonly unread = new Map<number, number>();
  readonly finishing = new Set<number>();
  readonly endedReading: number[] = [];
  readonly hidden = new Set<number>();
  /** Descriptors of other threads. */
  readonly foreign = new Set<number>();
  samples = 0;
  lookUps = 0;
  disguises = 0;
  /** Time that the look-up of a group takes. */
  disguiseMs = 0;
  freeDescriptors = Infinity;
  broken: Error | null = null;

  readonly sockets = {
    includes: (fd: number) => this.received.has(fd) && !this.foreign.has(fd),
    find: (isKnown: (fd: number) => boolean) => {
      this.lookUps++;
      if (this.broken !== null) throw this.broken;
      return [...this.received.keys()].filter((fd) => !isKnown(fd) && !this.foreign.has(fd));
    },
    received: (fd: number) => {
      this.samples++;
      return this.received.get(fd) ?? -1;
    },
    unread: (fd: number) => this.unread.get(fd) ?? 0,
    isFinishing: (fd: number) => this.finishing.has(fd),
    cookie: (fd: number) => 1000 + fd,
    endReading: (fd: number, cookie: number) => {
      assert.equal(cookie, 1000 + fd);
      this.endedReading.push(fd);
    },
    disguise: (fds: readonly number[]) => {
      this.disguises++;
      this.time += this.disguiseMs;
      if (fds.length > this.freeDescriptors) throw new SystemCallError('fcntl', constants.errno.EMFILE);
      for (const fd of fds) assert.ok(!this.foreign.has(fd));
      return {
        size: fds.length,
        hide: (index: number) => void this.hidden.add(fds[index]!),
        show: (index: number) => void this.hidden.delete(fds[index]!),
        end: () => {
          this.hidden.clear();
        },
      };
    },
  };
  readonly gauges = { now: () => this.time, residentBytes: () => this.resident };
}

class FakeSession implements Receiver, Buffering {
  liveIndex = -1;
  bufferedDownstream = 0;
  bufferedUpstream = 0;
  bufferedUnfinished = 0;
  messages = 0;
  messageBytes = 0;
  controlFrames = 0;
  controlBytes = 0;
  socket: Addressed | null;
  readonly wireTraits: WireTraits = { maxMessageSize: MAX, compressed: false, secure: false };
  readonly openedAt: number;
  shedFor: ShedReason | null = null;
  readonly fd: number;
  readonly #rig: Rig;

  constructor(rig: Rig, fd: number) {
    this.fd = fd;
    this.#rig = rig;
    this.openedAt = rig.system.time;
    this.socket = {
      getRemoteAddress: () => new ArrayBuffer(rig.system.hidden.has(fd) ? 0 : 4),
    };
  }

  unfinished(bytes: number): void {
    this.#rig.budget.setUnfinished(this, bytes);
  }

  measureBuffers(): void {
    // Nothing waits for its sides.
  }

  shed(reason: ShedReason): void {
    this.shedFor = reason;
    this.end(true);
  }

  /** The client sends; uWS reads all of it. */
  receive(bytes: number): void {
    const { received } = this.#rig.system;
    received.set(this.fd, received.get(this.fd)! + bytes);
  }

  deliver(bytes: number): void {
    this.receive(bytes + 6);
    this.messages++;
    this.messageBytes += bytes;
  }

  end(lingers: boolean): void {
    this.socket = null;
    if (!lingers) this.#rig.system.received.delete(this.fd);
    this.#rig.unfinished.closed(this, lingers);
  }
}

class Rig {
  readonly system = new System();
  readonly warnings: unknown[] = [];
  readonly budget: BufferBudget;
  readonly unfinished: UnfinishedMessages;
  readonly #page: StatsPage;
  #nextFd = 10;

  constructor(most: number, hasCalls = true) {
    const layout = new PageLayout();
    for (const direction of ['downstream', 'upstream']) layout.add(pageMetrics.bufferedBytes, { direction });
    layout.add(pageMetrics.unfinishedBytes, {});
    for (const reason of SHED_REASONS) layout.add(pageMetrics.sessionsShed, { reason });
    this.#page = new StatsPage(allocatePage(layout), layout);
    this.budget = new BufferBudget(most, this.#page);
    const log = { warn: (fields: unknown) => this.warnings.push(fields) } as unknown as Logger;
    this.unfinished = new UnfinishedMessages(
      this.budget,
      hasCalls ? this.system.sockets : null,
      log,
      this.system.gauges,
    );
  }

  open(count = 1): FakeSession[] {
    return Array.from({ length: count }, () => {
      const fd = this.#nextFd++;
      this.system.received.set(fd, HEAD);
      const session = new FakeSession(this, fd);
      this.unfinished.opened(session);
      return session;
    });
  }

  /** Lets time pass. */
  run(ms: number): void {
    for (const end = this.system.time + ms; this.system.time < end;) {
      this.system.time += SAMPLE_MS;
      this.unfinished.tick();
      assert.equal(this.system.hidden.size, 0);
    }
  }

  get counted(): number {
    return this.#page.values[this.#page.slot(pageMetrics.unfinishedBytes, {})]!;
  }
}

describe('unfinished messages in the budget', () => {
  it('are reserved for, and cost nothing, as long as the budget covers the worst twice', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(4);
    for (const session of sessions) session.receive(MAX);
    rig.system.resident += 4 * MAX;
    rig.run(5000);
    assert.deepEqual([rig.system.lookUps, rig.system.samples, rig.counted], [0, 0, 0]);
    assert.equal(rig.budget.left, 4 * MAX);
  });

  it('are counted where the worst is more, and shed the largest first', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(20);
    rig.run(200);
    for (const [index, session] of sessions.entries()) session.receive((index + 1) * 0.2 * MIB);
    rig.run(4000);
    assert.ok(rig.counted <= 8 * MAX && rig.counted > 4 * MAX, `${rig.counted}`);
    const shed = sessions.filter(({ shedFor }) => shedFor === 'unfinished');
    assert.ok(shed.length > 0);
    assert.deepEqual(shed, sessions.slice(-shed.length));
  });

  it('are found at once when the process grows', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(500);
    rig.run(2000);
    for (const session of sessions.slice(0, 12)) session.receive(MAX);
    rig.system.resident += 12 * MAX;
    rig.run(SAMPLE_MS);
    assert.ok(sessions.filter(({ shedFor }) => shedFor !== null).length >= 4);
    assert.ok(rig.counted <= 8 * MAX);
  });

  it('are found at once in sessions that have just begun', () => {
    const rig = new Rig(8 * MAX);
    rig.open(20);
    rig.run(2000);
    const fresh = rig.open(300);
    for (const session of fresh.slice(0, 12)) session.receive(MAX);
    rig.system.resident += 12 * MAX;
    rig.run(SAMPLE_MS);
    assert.ok(fresh.filter(({ shedFor }) => shedFor !== null).length >= 4);
    assert.ok(rig.counted <= 8 * MAX);
  });

  it('are found in time when they drip and the process does not grow', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(200);
    rig.run(3000);
    for (let second = 0; second < 60; second++) {
      for (const session of sessions) session.receive(16 * 1024);
      rig.run(1000);
    }
    assert.ok(rig.counted <= 8 * MAX);
    assert.ok(sessions.some(({ shedFor }) => shedFor === 'unfinished'));
  });

  it('are not what sessions have delivered, or what nobody has read', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(50);
    for (let round = 0; round < 50; round++) {
      for (const session of sessions) {
        session.deliver(MIB);
        rig.system.unread.set(session.fd, 300_000);
        session.receive(300_000);
      }
      rig.system.resident += 8 * MIB;
      rig.run(200);
      for (const session of sessions) {
        rig.system.unread.delete(session.fd);
        session.messages++;
        session.messageBytes += 300_000 - 6;
      }
      rig.run(2000);
    }
    assert.equal(sessions.filter(({ shedFor }) => shedFor !== null).length, 0);
    assert.ok(rig.counted < MIB);
  });

  it('end with the connection when a session ends that uWS would keep', () => {
    const rig = new Rig(8 * MAX);
    const [known, small, cut] = rig.open(20) as [FakeSession, FakeSession, FakeSession];
    rig.run(500);
    for (const session of [known, cut]) session.receive(MIB);
    known.end(true);
    small.end(true);
    cut.end(false);
    assert.deepEqual(rig.system.endedReading, [known.fd]);
  });

  it('end with the connection also if the descriptor was not known when the session ended', () => {
    const rig = new Rig(8 * MAX);
    rig.open(20);
    rig.run(500);
    const [holder, honest] = rig.open(2) as [FakeSession, FakeSession];
    for (const session of [holder, honest]) {
      if (session === holder) session.receive(MIB);
      rig.system.finishing.add(session.fd);
      session.end(true);
    }
    rig.run(500);
    assert.deepEqual(rig.system.endedReading, [holder.fd]);
  });

  it('of ended sessions are reserved for as long as uWS may keep them', () => {
    const rig = new Rig(8 * MAX);
    for (const session of rig.open(3)) session.end(true);
    for (const session of rig.open(3)) session.end(false);
    rig.run(1000);
    assert.equal(rig.budget.left, 5 * MAX);
    rig.open(2);
    rig.run(1000);
    assert.ok(rig.system.lookUps > 0);
    rig.run(20_000);
    assert.equal(rig.budget.left, 6 * MAX);
  });

  it('are never looked for at descriptors that another thread has got meanwhile', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(400);
    rig.run(2 * SAMPLE_MS);
    // Listed already: the fake refuses to disguise them.
    for (const { fd } of sessions.slice(0, 100)) rig.system.foreign.add(fd);
    rig.run(3000);
    assert.ok(rig.system.disguises > 0);
  });

  it('stop being watched when enough sessions have ended', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(20);
    rig.run(500);
    sessions[0]!.receive(MIB);
    rig.run(3000);
    assert.ok(rig.counted > MIB / 2);
    for (const session of sessions.slice(4)) session.end(false);
    rig.run(SAMPLE_MS);
    assert.equal(rig.counted, 0);
    assert.equal(rig.budget.left, 4 * MAX);
    const { samples } = rig.system;
    rig.run(3000);
    assert.equal(rig.system.samples, samples);
  });

  it('are not counted and reserved at once when watching stops', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(20);
    const [one, other, slow] = sessions as [FakeSession, FakeSession, FakeSession];
    rig.run(500);
    one.receive(MIB);
    other.receive(2 * MIB);
    rig.run(3000);
    rig.budget.setUpstream(slow, 4 * MAX - MIB);
    for (const session of sessions.slice(4)) session.end(false);
    rig.run(SAMPLE_MS);
    assert.equal(rig.counted, 0);
    assert.ok(sessions.every(({ shedFor }) => shedFor === null));
  });

  it('are looked up a part at a time if that takes long', () => {
    const rig = new Rig(8 * MAX);
    rig.open(20);
    rig.run(2000);
    const fresh = rig.open(3000);
    fresh[0]!.receive(MAX);
    rig.system.disguiseMs = 20;
    rig.system.resident += 12 * MAX;
    const start = rig.system.time;
    rig.run(SAMPLE_MS);
    assert.ok(rig.system.time - start <= 100, `${rig.system.time - start}`);
    rig.run(3000);
    assert.ok(rig.counted >= MAX - MIB);
  });

  it('are looked up in a fifth of the time if that takes long', () => {
    const rig = new Rig(8 * MAX);
    rig.open(2000);
    rig.system.disguiseMs = 20;
    const start = rig.system.time;
    let idleMs = 0;
    while (rig.system.time - start < 1000) {
      const before = rig.system.time;
      rig.run(SAMPLE_MS);
      if (rig.system.time - before === SAMPLE_MS) idleMs += SAMPLE_MS;
    }
    assert.ok(rig.system.time - start - idleMs > 100, 'sessions are looked up');
    assert.ok(idleMs >= 650, `${idleMs} ms without a look-up`);
  });

  it('are counted again after a shortage of descriptors, in smaller groups', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(300);
    rig.system.freeDescriptors = 20;
    for (const session of sessions.slice(0, 4)) session.receive(MIB);
    rig.run(5000);
    assert.ok(rig.counted > 3 * MIB, `${rig.counted}`);
    assert.equal(rig.warnings.length, 1);
  });

  it('are warned of once if the system cannot be asked, and only if they could fill the budget', () => {
    const rig = new Rig(8 * MAX, false);
    rig.open(4);
    rig.run(1000);
    assert.equal(rig.warnings.length, 0);
    rig.open(4);
    rig.run(1000);
    assert.equal(rig.warnings.length, 1);
  });

  it('are warned of once if looking them up fails', () => {
    const rig = new Rig(8 * MAX);
    rig.system.broken = new Error('no /proc');
    rig.open(20);
    rig.run(1000);
    assert.deepEqual(rig.warnings, [{ reason: 'no /proc' }]);
    assert.equal(rig.system.lookUps, 1);
  });
});
