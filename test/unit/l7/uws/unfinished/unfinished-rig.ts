/** Fakes of sessions and of the system under them: sockets, memory and time. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import {
  BufferBudget,
  type Buffering,
  type ShedReason,
} from '../../../../../src/l7/buffers/buffer-budget.ts';
import type { Addressed } from '../../../../../src/l7/uws/clients/hidden-descriptors.ts';
import type { WireTraits } from '../../../../../src/l7/uws/unfinished/held-bytes.ts';
import {
  SAMPLE_MS,
  UnfinishedMessages,
  type Receiver,
} from '../../../../../src/l7/uws/unfinished/unfinished-messages.ts';
import { SystemCallError } from '../../../../../src/sys/errno.ts';
import type { Logger } from '../../../../../src/telemetry/logger.ts';
import { SHED_REASONS } from '../../../../../src/telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../../../src/telemetry/page-layout.ts';
import { StatsPage, allocatePage } from '../../../../../src/telemetry/stats-page.ts';

export const MIB = 1024 * 1024;
export const MAX = 4 * MIB;
/** Bytes that a new connection received with the request. */
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
  swaps = 0;
  /** Time that the look-up of a group takes. */
  swapMs = 0;
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
    swap: (fds: readonly number[]) => {
      this.swaps++;
      this.time += this.swapMs;
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

export class FakeSession implements Receiver, Buffering {
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

export class Rig {
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
