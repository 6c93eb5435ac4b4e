/** The rates of drains hold for the whole process, however its workers share the connections. On the test's own clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { TICK_MS } from '../../../src/core/timing/timer-wheel.ts';
import { configChange } from '../../../src/protocol/config-change.ts';
import { layoutOf } from '../../../src/protocol/stats-layout.ts';
import type { WorkerKind } from '../../../src/protocol/to-worker.ts';
import { pageShapes } from '../../../src/telemetry/metrics/page-shapes.ts';
import { SeriesDirectory } from '../../../src/telemetry/series-directory.ts';
import { writeSharedSlots } from '../../../src/telemetry/slots/shared-slots.ts';
import { allocatePage } from '../../../src/telemetry/stats-page.ts';
import type { Environment } from '../../../src/worker/environment.ts';
import type { LiveConnection } from '../../../src/worker/live-connection.ts';
import { ServiceThread } from '../../../src/worker/service-thread.ts';
import type { PreparedChange, Service } from '../../../src/worker/service.ts';
import { createWorkerLogger } from '../../../src/telemetry/worker-logger.ts';
import { config } from '../primary/fixtures/config.ts';
import { workerStart } from './fixtures/worker-start.ts';

/** Connections per second, over all workers. */
const RATE = 20;
const DEADLINE_MS = 600_000;

/** A service whose connections all lose their cluster with the next change. */
class Losing implements Service {
  readonly innerLoop = { waitedMs: 0, takeLatenessMs: () => 0 };
  readonly nextTurn = setImmediate;
  readonly #living = new Set<LiveConnection>();
  ended = 0;

  constructor(connections: number) {
    for (let count = 0; count < connections; count++) {
      const end = (): boolean => {
        if (this.#living.delete(connection)) this.ended++;
        return true;
      };
      const connection = {
        endpoint: null,
        isOf: () => false,
        drain: end,
        undrain: () => undefined,
        evict: end,
        end: () => void end(),
        abort: () => void end(),
      };
      this.#living.add(connection);
    }
  }

  liveConnections = (): LiveConnection[] => [...this.#living];
  sessions = (): [] => [];
  closedAtEnd = (): LiveConnection[] => [...this.#living];
  listen = (): Promise<void> => Promise.resolve();
  prepare = (): Promise<PreparedChange> =>
    Promise.resolve({ commit: () => this.liveConnections(), abort: () => undefined });
  older = (generation: number): { connections: number; oldest: number } => ({
    connections: 0,
    oldest: generation,
  });
  admit = (): void => undefined;
  abort = (): void => undefined;
  handOver = (): void => undefined;
  stop = (): void => undefined;
  cancelPending = (): void => undefined;
  untilEmpty = (): Promise<void> => new Promise(() => undefined);

  /** All clients go by themselves. */
  lose(): void {
    this.#living.clear();
  }
}

interface WorkerOf {
  readonly kind: WorkerKind;
  readonly connections: number;
}

interface Started {
  readonly thread: ServiceThread;
  readonly service: Losing;
  readonly environment: Environment;
}

/** The workers of one process, on one clock. */
class Process {
  readonly workers: readonly Started[];
  readonly #settings = {
    ...config,
    workers: { ...config.workers, l7: 2, l4: 4 },
    drain: { rate: RATE, deadlineMs: DEADLINE_MS, jitterMs: 0 },
  };
  readonly #directory: SeriesDirectory;
  readonly #pages: readonly SharedArrayBuffer[];

  constructor(workers: readonly WorkerOf[]) {
    const names = workers.map(({ kind }, index) => `${kind}-${index}`);
    this.#directory = new SeriesDirectory(layoutOf(this.#settings, names).blocks);
    this.#pages = workers.map(() => allocatePage({ size: this.#directory.capacity }));
    this.workers = workers.map((worker, index) => this.#start(worker, names[index]!, index));
  }

  #start({ kind, connections }: WorkerOf, name: string, page: number): Started {
    const { port1, port2 } = new MessageChannel();
    port1.close();
    const start = workerStart(kind, this.#settings, {
      name,
      page,
      series: writeSharedSlots(this.#directory.tableWithout(pageShapes.endpoint)),
      pages: this.#pages,
      port: port2,
    });
    const service = new Losing(connections);
    let made: Environment | null = null;
    const thread = new ServiceThread(
      start,
      createWorkerLogger(config.log, 'l7-0', () => undefined),
      () => undefined,
      (environment) => {
        made = environment;
        return service;
      },
    );
    return { thread, service, environment: made! };
  }

  /** Reloads a configuration that removes the cluster of all connections. */
  async reload(): Promise<void> {
    const shared = { lineWindows: new Map(), ticketKeys: new Map(), limitTables: new Map() };
    const next = {
      generation: 2,
      config: configChange(this.#settings, this.#settings),
      series: { arriving: new Map(), leaving: [] },
      clusters: { changed: [], removed: [] },
      ...shared,
    };
    for (const { thread } of this.workers) {
      assert.equal(await thread.prepare(next), null);
    }
    for (const { thread } of this.workers) thread.settle(2, true);
  }

  /** Lets time pass. Returns the number of connections ended, and the max number ahead of the rate. */
  run(ms: number): { readonly ended: number; readonly ahead: number } {
    const before = this.ended;
    let ahead = 0;
    for (let time = TICK_MS; time <= ms; time += TICK_MS) {
      for (const { environment } of this.workers) environment.wheel.advance(environment.wheel.now + TICK_MS);
      ahead = Math.max(ahead, this.ended - before - (time * RATE) / 1000);
    }
    return { ended: this.ended - before, ahead };
  }

  get ended(): number {
    return this.workers.reduce((sum, { service }) => sum + service.ended, 0);
  }

  /** Tells the workers that one of them is gone, as the supervisor does. */
  forget(index: number): void {
    const pages = this.#pages.filter((_, other) => other !== index);
    for (const { thread } of this.workers) thread.setPages(pages);
  }

  close(): void {
    for (const { thread } of this.workers) thread.close();
  }
}

function workersOf(l7: readonly number[], l4: readonly number[]): WorkerOf[] {
  return [
    ...l7.map((connections) => ({ kind: 'l7', connections }) as const),
    ...l4.map((connections) => ({ kind: 'l4', connections }) as const),
  ];
}

async function within(workers: readonly WorkerOf[], act: (all: Process) => Promise<void>): Promise<void> {
  const all = new Process(workers);
  try {
    await act(all);
  } finally {
    all.close();
  }
}

/** Asserts that the rate was kept. Each worker may be one connection ahead. */
function assertRate({ ended, ahead }: { ended: number; ahead: number }, workers: number, ms: number): void {
  const promised = (ms * RATE) / 1000;
  assert.ok(ahead <= workers, `${ahead} too many at some time`);
  assert.ok(Math.abs(ended - promised) <= workers + promised * 0.05, `${ended} instead of ${promised}`);
}

describe('the rate at which connections end after a reload', () => {
  for (const [name, workers] of [
    ['tunnels of four workers', workersOf([0, 0], [500, 500, 500, 500])],
    ['sessions of two workers', workersOf([500, 500], [0, 0, 0, 0])],
    ['sessions and tunnels', workersOf([500, 300], [500, 200, 400, 300])],
    ['all in one worker', workersOf([0, 0], [0, 600, 0, 0])],
    ['nearly all in one worker', workersOf([1, 0], [0, 1, 600, 1])],
  ] as const) {
    it(`is the same over all workers: ${name}`, async () => {
      await within(workers, async (all) => {
        await all.reload();
        assertRate(all.run(20_000), workers.length, 20_000);
      });
    });
  }

  it("goes to the others when a worker's clients leave, or the worker itself ends", async () => {
    const workers = workersOf([500, 500], [500, 500, 500, 500]);
    await within(workers, async (all) => {
      await all.reload();
      all.run(1000);
      const [first, second] = all.workers;
      first!.service.lose();
      second!.service.lose();
      all.forget(2);
      // Gone clients are noticed once a second.
      all.run(2000);
      const before = all.workers[2]!.service.ended;
      const { ended, ahead } = all.run(20_000);
      const others = ended - (all.workers[2]!.service.ended - before);
      assertRate({ ended: others, ahead: Math.min(ahead, 0) }, workers.length, 20_000);
    });
  });
});

describe('the rate at which ending workers close their connections', () => {
  it('is shared by all workers that end at the same time', async () => {
    const workers = workersOf([900, 300], [0, 0]);
    await within(workers, async (all) => {
      const pace = { rate: RATE, deadlineMs: DEADLINE_MS, jitterMs: 0 };
      for (const { thread } of all.workers) {
        void thread.end({ type: 'end', graceMs: DEADLINE_MS, pace, successors: null });
      }
      await new Promise((settle) => setImmediate(settle));
      assertRate(all.run(20_000), workers.length, 20_000);
    });
  });

  it('belongs to a worker that ends while the others continue', async () => {
    const workers = workersOf([300, 300, 300], []);
    await within(workers, async (all) => {
      const pace = { rate: RATE, deadlineMs: DEADLINE_MS, jitterMs: 0 };
      void all.workers[1]!.thread.end({ type: 'end', graceMs: DEADLINE_MS, pace, successors: null });
      await new Promise((settle) => setImmediate(settle));
      assertRate(all.run(10_000), 1, 10_000);
      assert.equal(all.workers[1]!.service.ended, all.ended);
    });
  });
});
