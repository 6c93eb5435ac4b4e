import type { HealthCheck } from '../../config/types/cluster.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { probe, type ProbeResult } from '../../upstream/probes/probe.ts';
import type { UpstreamTls } from '../../upstream/upstream-tls.ts';
import type { EndpointRecord } from './endpoint-record.ts';

/** Each wait differs from the interval by up to this part of it, so that proxies and endpoints fall out of step. */
const JITTER = 0.1;

/** Max probes of one cluster at the same time: each holds a descriptor, and a name can stand for thousands of addresses. */
const MAX_PROBES = 256;

/** Probes the endpoints of a cluster, each by itself, for as long as it belongs to it. */
export class Prober {
  readonly #check: HealthCheck;
  readonly #tls: UpstreamTls | null;
  readonly #log: Logger;
  readonly #unmade = new LineLimit();
  readonly #probe: typeof probe;
  /** How to end what is under way, by endpoint. */
  readonly #running = new Map<EndpointRecord, () => void>();
  /** What starts the probes that wait, in their order. */
  readonly #waiting = new Set<() => void>();
  #probing = 0;

  /** @param run does one probe; a test may bring its own */
  constructor(check: HealthCheck, tls: UpstreamTls | null, log: Logger, run: typeof probe = probe) {
    this.#check = check;
    this.#tls = tls;
    this.#log = log;
    this.#probe = run;
  }

  /**
   * Probes an endpoint from now on. Resolves when the first probe is over, or the endpoint is forgotten before. The first that
   * can be made decides by itself.
   */
  watch(record: EndpointRecord): Promise<void> {
    return new Promise((resolve) => this.#run(record, true, resolve));
  }

  /** Goes on with one that has been probed in the same way before; what that has found counts. */
  resume(record: EndpointRecord): void {
    const timer = setTimeout(() => this.#run(record, false, null), this.#check.intervalMs * Math.random());
    timer.unref();
    this.#running.set(record, () => clearTimeout(timer));
  }

  forget(record: EndpointRecord): void {
    this.#running.get(record)?.();
    this.#running.delete(record);
  }

  stop(): void {
    // The end of a probe starts one that waits.
    this.#waiting.clear();
    for (const record of [...this.#running.keys()]) this.forget(record);
  }

  /** @param decides whether the next verdict counts by itself, because there has been none */
  #run(record: EndpointRecord, decides: boolean, onOver: (() => void) | null): void {
    if (this.#probing >= MAX_PROBES) {
      const start = (): void => this.#run(record, decides, onOver);
      this.#waiting.add(start);
      this.#running.set(record, () => {
        this.#waiting.delete(start);
        onOver?.();
      });
      return;
    }
    this.#probing++;
    const { label, server, addresses } = record.facts;
    const startedAt = performance.now();
    const cancel = this.#probe({ label, server, addresses, tls: this.#tls }, this.#check, (result) => {
      this.#take(record, result, performance.now() - startedAt, decides);
      this.#startNext();
      const wait = this.#check.intervalMs * (1 + JITTER * (2 * Math.random() - 1));
      const undecided = decides && result.verdict === 'unmade';
      const timer = setTimeout(() => this.#run(record, undecided, null), wait);
      timer.unref();
      this.#running.set(record, () => clearTimeout(timer));
      onOver?.();
    });
    this.#running.set(record, () => {
      cancel();
      this.#startNext();
      onOver?.();
    });
  }

  /** A probe has ended. */
  #startNext(): void {
    this.#probing--;
    const [start] = this.#waiting;
    if (start === undefined) return;
    this.#waiting.delete(start);
    start();
  }

  #take(record: EndpointRecord, result: ProbeResult, ms: number, decides: boolean): void {
    record.counts.probes++;
    if (result.verdict === 'unmade') {
      record.counts.probesUnmade++;
      const more = this.#unmade.take();
      const { reason } = result;
      if (more !== null) this.#log.error({ endpoint: record.facts.label, reason, ...more }, 'probe not made');
      return;
    }
    const failure = result.verdict === 'well' ? null : result.reason;
    if (failure !== null) record.counts.probeFailures++;
    record.lastProbe = { at: Date.now(), ms, failure };
    this.#judge(record, failure, decides);
  }

  #judge(record: EndpointRecord, failure: string | null, first: boolean): void {
    const { rise, fall } = this.#check;
    if (failure === null) {
      record.streak = Math.max(0, record.streak) + 1;
      if (record.down && (first || record.streak >= rise)) record.setDown(false, 'its probes are good');
    } else {
      record.streak = Math.min(0, record.streak) - 1;
      if (!record.down && (first || -record.streak >= fall)) record.setDown(true, `its probe ${failure}`);
    }
  }
}
