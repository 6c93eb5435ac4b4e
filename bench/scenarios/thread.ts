/** The task of a driver thread: opens its connections, plays the scenario, and returns its measurements. */
import { setTimeout as delay } from 'node:timers/promises';
import { RandomPool } from '../../src/core/random-pool.ts';
import type { DriveTask, FromDriver, ToDriver } from '../driver/crew/protocol.ts';
import { createDialler } from '../driver/dialling/create-dialler.ts';
import { monotonicNow } from '../driver/measuring/clock.ts';
import { LivePage } from '../driver/measuring/live-page.ts';
import type { Outcome } from '../driver/measuring/outcome.ts';
import { Recorder } from '../driver/measuring/recorder.ts';
import { ThreadUsage } from '../driver/measuring/thread-usage.ts';
import { ThreadSessions } from '../driver/sessions/thread-sessions.ts';
import type { DriveContext } from '../driver/sessions/traffic.ts';
import { shareOf } from '../options/plan.ts';
import { createTraffic } from './create-traffic.ts';

const PUBLISH_MS = 100;
const SETTLE_POLL_MS = 5;
const NEVER = new Promise<void>(() => undefined);

export default async function drive(task: DriveTask): Promise<Outcome> {
  const { plan, thread, port, runId, address, recorded } = task;
  const recorder = new Recorder(plan.rate !== null);
  const page = new LivePage(plan.threads, task.page);
  const random = new RandomPool();
  const dialler = createDialler(plan, address);
  const context: DriveContext = { plan, recorder, random, page, thread, runId, dialler, recorded };
  const traffic = createTraffic(context);
  const publisher = plan.scenario === 'fan-out' && thread === 0 ? 1 : 0;
  const count = shareOf(plan.connections, thread, plan.threads) + publisher;
  const threadSessions = new ThreadSessions({
    plan,
    count,
    recorder,
    random,
    page,
    thread,
    traffic,
    dialler,
  });
  const orders = new Orders();
  port.on('message', (message: ToDriver) => orders.take(message));
  const publishing = setInterval(() => recorder.publish(page, thread), PUBLISH_MS);
  try {
    if (traffic.holdsConnections) await Promise.race([threadSessions.openAll(), orders.stopped]);
    const ready: FromDriver = { type: 'ready' };
    port.postMessage(ready);
    const start = await orders.start;
    if (start !== null) {
      const from = start + plan.warmupMs;
      const until = from + plan.durationMs;
      // Set now: another thread may publish before this one wakes up.
      recorder.measure(from, until);
      await orders.until(start);
      const cost = new Cost();
      traffic.begin(threadSessions, start, until);
      await orders.until(from);
      cost.begin();
      await orders.until(until, traffic.finished);
      cost.end(recorder);
      const end = Math.min(until, monotonicNow());
      // A run that is stopped before the measured time begins measures nothing.
      if (end < until) recorder.measure(Math.min(from, end), end);
      traffic.end(end);
      const patience = monotonicNow() + (orders.isStopped ? 0 : plan.timeoutMs);
      while (!traffic.settled && monotonicNow() < patience && !orders.isStopped) await delay(SETTLE_POLL_MS);
      if (!orders.isStopped) traffic.giveUp();
    }
    await threadSessions.closeAll();
    recorder.publish(page, thread);
    return { ...recorder.outcome(), replay: traffic.replayed ?? null };
  } finally {
    clearInterval(publishing);
    dialler.close();
    port.close();
  }
}

/** Receives orders from the main thread. */
class Orders {
  /** Resolves with the time at which traffic begins, or null if the run is stopped before. */
  readonly start: Promise<number | null>;
  readonly stopped: Promise<void>;
  isStopped = false;
  #start: (at: number | null) => void = () => undefined;
  #stop: () => void = () => undefined;

  constructor() {
    this.start = new Promise((settle) => (this.#start = settle));
    this.stopped = new Promise((settle) => (this.#stop = settle));
  }

  take(message: ToDriver): void {
    switch (message.type) {
      case 'start':
        this.#start(message.at);
        break;
      case 'stop':
        this.isStopped = true;
        this.#start(null);
        this.#stop();
        break;
    }
  }

  /**
   * Waits until a time on the monotonic clock. Returns early if the run is stopped or the scenario has
   * finished.
   */
  async until(time: number, finished: Promise<void> = NEVER): Promise<void> {
    const over = Promise.race([this.stopped, finished]).then(() => true);
    let isOver = this.isStopped;
    // Repeated, because a timer may fire a little too early.
    while (!isOver && monotonicNow() < time) {
      let timer: NodeJS.Timeout | undefined;
      const due = new Promise<boolean>((settle) => {
        timer = setTimeout(settle, time - monotonicNow(), false);
      });
      isOver = await Promise.race([due, over]);
      clearTimeout(timer);
    }
  }
}

/** Measures the CPU of the thread and of the process during the measured time. */
class Cost {
  readonly #thread = new ThreadUsage();
  #cpu: NodeJS.CpuUsage | null = null;

  begin(): void {
    this.#thread.begin();
    this.#cpu = process.cpuUsage();
  }

  end(recorder: Recorder): void {
    const cpu = process.cpuUsage(this.#cpu ?? undefined);
    recorder.cost(this.#thread.busy(), (cpu.user + cpu.system) / 1000);
  }
}
