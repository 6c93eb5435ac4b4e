import type { HealthCheck } from '../../config/types/cluster.ts';
import type { LoopWheel } from '../../core/timing/loop-wheel.ts';
import type { StartQueue } from '../../core/timing/start-queue.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { probe, ProbeResult } from '../../upstream/probes/probe.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import type { ProbeOpening } from './probe-opening.ts';

/**
 * Max random change of each wait, as a fraction of the interval. It spreads the probes of proxies and
 * endpoints.
 */
const JITTER = 0.1;

/** Tools that the probes of all clusters share. */
export interface ProbeTools {
  readonly wheel: Pick<LoopWheel, 'arm' | 'disarm'>;
  /** Limits concurrent probes. */
  readonly queue: Pick<StartQueue, 'add' | 'remove' | 'release'>;
  /** Runs one probe. */
  readonly probe: typeof probe;
  /** Returns a number from 0 up to, but not including, 1. */
  readonly random: () => number;
}

interface ProberOptions {
  readonly check: HealthCheck;
  readonly opening: ProbeOpening;
  readonly tools: ProbeTools;
  /** Name of the cluster, for the log. */
  readonly cluster: string;
  readonly log: Logger;
}

/** Probes the endpoints of a cluster, each on its own schedule. */
export class Prober {
  readonly #options: ProberOptions;
  #unmade: LineLimit | null = null;
  readonly #schedules = new Map<EndpointRecord, Schedule>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /**
   * Starts to probe an endpoint. The first completed probe alone decides the endpoint's health.
   *
   * @param onOver called when the first probe ends, or the endpoint is forgotten first
   */
  watch(record: EndpointRecord, onOver: () => void): void {
    const schedule = new Schedule(this, record, onOver);
    this.#schedules.set(record, schedule);
    this.#options.tools.queue.add(schedule);
  }

  /** Continues with an endpoint that was already probed in the same way. Keeps its health. */
  resume(record: EndpointRecord): void {
    const schedule = new Schedule(this, record, null);
    this.#schedules.set(record, schedule);
    this.#options.tools.wheel.arm(schedule, this.#spreadWait());
  }

  forget(record: EndpointRecord): void {
    const schedule = this.#schedules.get(record);
    if (schedule === undefined) return;
    this.#schedules.delete(record);
    this.#options.opening.tls?.sessions.delete(record.facts.label);
    const { wheel, queue } = this.#options.tools;
    wheel.disarm(schedule);
    queue.remove(schedule);
    if (schedule.cancel !== null) {
      schedule.cancel();
      queue.release();
    }
    schedule.reportOver();
  }

  stop(): void {
    for (const record of [...this.#schedules.keys()]) this.forget(record);
  }

  /** Called when the endpoint's wait ends. Queues its probe. */
  due(schedule: Schedule): void {
    this.#options.tools.queue.add(schedule);
  }

  /** Runs the endpoint's probe, then starts the wait for the next one. */
  begin(schedule: Schedule): void {
    const { wheel, queue, probe: run } = this.#options.tools;
    const { record } = schedule;
    const { label, server, addresses } = record.facts;
    const startedAt = performance.now();
    const { tls, preface } = this.#options.opening;
    const target = { label, server, addresses, tls, preface };
    schedule.cancel = run(target, this.#options.check, (result) => {
      schedule.cancel = null;
      queue.release();
      wheel.arm(schedule, schedule.isFirst ? this.#spreadWait() : this.#wait());
      this.#take(record, result, performance.now() - startedAt, schedule.decides);
      schedule.decides &&= result.verdict === 'unmade';
      schedule.reportOver();
    });
  }

  /** Returns a wait in milliseconds. It spreads endpoints that were probed together over the interval. */
  #spreadWait(): number {
    return this.#options.check.intervalMs * (1 - this.#options.tools.random());
  }

  #wait(): number {
    return this.#options.check.intervalMs * (1 + JITTER * (2 * this.#options.tools.random() - 1));
  }

  #take(record: EndpointRecord, result: ProbeResult, ms: number, decides: boolean): void {
    record.count('probes');
    if (result.verdict === 'unmade') {
      record.count('probesUnmade');
      this.#unmade ??= new LineLimit();
      const more = this.#unmade.take();
      const { reason } = result;
      const { cluster, log } = this.#options;
      const { label: endpoint } = record.facts;
      if (more !== null) log.error({ cluster, endpoint, reason, ...more }, 'probe not made');
      return;
    }
    const failure = result.verdict === 'passed' ? null : result.reason;
    if (failure !== null) record.count('probeFailures');
    const measuredMs = result.verdict === 'passed' ? result.ms : undefined;
    record.noteProbe(Date.now(), measuredMs ?? ms, failure);
    this.#judge(record, failure, decides);
  }

  #judge(record: EndpointRecord, failure: string | null, first: boolean): void {
    const { rise, fall } = this.#options.check;
    if (failure === null) {
      record.streak = Math.max(0, record.streak) + 1;
      if (record.down && (first || record.streak >= rise)) record.setDown(false, 'its probes pass');
    } else {
      record.streak = Math.min(0, record.streak) - 1;
      if (!record.down && (first || -record.streak >= fall)) record.setDown(true, `its probe ${failure}`);
    }
  }
}

/**
 * The probe schedule of one endpoint. It waits for the next probe, or in the queue, or for a running probe.
 */
class Schedule extends Timed {
  queuePlace = -1;
  readonly record: EndpointRecord;
  /** Whether the next completed probe alone decides. */
  decides: boolean;
  /** Cancels the running probe; null if none runs. */
  cancel: (() => void) | null = null;
  readonly #prober: Prober;
  #onOver: (() => void) | null;

  /** @param onOver called when the first probe ends; null if the endpoint was probed before */
  constructor(prober: Prober, record: EndpointRecord, onOver: (() => void) | null) {
    super();
    this.record = record;
    this.decides = onOver !== null;
    this.#prober = prober;
    this.#onOver = onOver;
  }

  /** Whether a new endpoint's first probe has not ended. */
  get isFirst(): boolean {
    return this.#onOver !== null;
  }

  /** Reports once that the first probe has ended. */
  reportOver(): void {
    const onOver = this.#onOver;
    this.#onOver = null;
    onOver?.();
  }

  override expire(): void {
    this.#prober.due(this);
  }

  start(): void {
    this.#prober.begin(this);
  }
}
