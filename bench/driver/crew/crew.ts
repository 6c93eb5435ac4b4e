import { randomBytes } from 'node:crypto';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Plan } from '../../options/plan.ts';
import type { RecordedClients } from '../../recorded/recorded-clients.ts';
import { monotonicNow } from '../measuring/clock.ts';
import { LivePage } from '../measuring/live-page.ts';
import type { Outcome } from '../measuring/outcome.ts';
import type { DriveTask, FromDriver, ToDriver } from './protocol.ts';

/** Delay between the start order and the first traffic: every thread must have the order by then. */
const HEAD_START_MS = 20;

export interface CrewOptions {
  readonly plan: Plan;
  /** IP address of the target. */
  readonly address: string;
  /** Path of the module whose default export is the task of a thread. */
  readonly threadFile: string;
  /** Running threads, at least as many as the plan needs. If absent, the run starts and ends its own. */
  readonly pool?: Piscina;
  /** The recording that a replay plays. */
  readonly recorded?: RecordedClients;
}

/** Creates driver threads for consecutive runs. They load their sources only once. */
export function createPool(threadFile: string, threads: number): Piscina {
  return new Piscina({
    filename: threadFile,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Infinity,
    atomics: 'disabled',
    recordTiming: false,
  });
}

/** The main thread's handle of the driver threads of one run. */
export class Crew {
  readonly page: LivePage;
  /** Start of the measurement on the monotonic clock. Null while the connections open. */
  measuringFrom: number | null = null;
  /** Called with the start of the measurement, once it is known. */
  onStart: ((from: number) => void) | null = null;
  readonly #options: CrewOptions;
  readonly #ports: MessagePort[] = [];
  #stopped = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.page = new LivePage(options.plan.threads);
  }

  get plan(): Plan {
    return this.#options.plan;
  }

  /** Runs the plan and returns the measurements of each thread. Rejects if a thread fails. */
  async run(): Promise<readonly Outcome[]> {
    const { plan, address, threadFile, recorded = null } = this.#options;
    const pool = this.#options.pool ?? createPool(threadFile, plan.threads);
    try {
      const runId = randomBytes(8).toString('hex');
      const ready: Promise<FromDriver>[] = [];
      const outcomes: Promise<Outcome>[] = [];
      for (let thread = 0; thread < plan.threads; thread++) {
        const { port1, port2 } = new MessageChannel();
        this.#ports.push(port1);
        ready.push(firstMessage(port1));
        const task: DriveTask = {
          plan,
          address,
          thread,
          page: this.page.buffer,
          port: port2,
          runId,
          recorded,
        };
        outcomes.push(pool.run(task, { transferList: [port2] }) as Promise<Outcome>);
      }
      const all = Promise.all(outcomes);
      await Promise.race([Promise.all(ready), all]);
      this.#begin();
      return await all;
    } finally {
      for (const port of this.#ports) port.close();
      if (this.#options.pool === undefined) await pool.destroy();
    }
  }

  /** Ends the run at once: {@link run} resolves with the measurements so far. */
  stop(): void {
    this.#stopped = true;
    this.#say({ type: 'stop' });
  }

  #begin(): void {
    const { plan } = this.#options;
    if (this.#stopped) return;
    const opensLater = plan.scenario === 'connect' || plan.scenario === 'replay';
    if (!opensLater && this.page.sum('open') === 0) {
      // Without connections there is nothing to wait for.
      this.stop();
      return;
    }
    const at = monotonicNow() + HEAD_START_MS;
    this.measuringFrom = at + plan.warmupMs;
    this.#say({ type: 'start', at });
    this.onStart?.(this.measuringFrom);
  }

  #say(message: ToDriver): void {
    for (const port of this.#ports) port.postMessage(message);
  }
}

/** Returns the only message of a driver thread: it is ready. */
function firstMessage(port: MessagePort): Promise<FromDriver> {
  return new Promise((settle) => port.once('message', settle));
}
