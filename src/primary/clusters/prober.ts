import type { HealthCheck } from '../../config/types/cluster.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { probe, type ProbeResult } from '../../upstream/probes/probe.ts';
import type { UpstreamTls } from '../../upstream/upstream-tls.ts';
import type { EndpointRecord } from './endpoint-record.ts';

/** Max part of the interval that each wait is longer or shorter, so that probes of proxies and endpoints spread. */
const JITTER = 0.1;

/** Max probes of one cluster at the same time: each holds a descriptor, and a name can have thousands of addresses. */
const MAX_PROBES = 256;

/** How the connections of a cluster's probes begin. */
export interface ProbeOpening {
  readonly tls: UpstreamTls | null;
  /** The PROXY header of a connection of the proxy's own; null for none. */
  readonly preface: Buffer | null;
}

/** Probes the endpoints of a cluster, each on its own schedule. */
export class Prober {
  readonly #check: HealthCheck;
  readonly #opening: ProbeOpening;
  readonly #log: Logger;
  readonly #unmade = new LineLimit();
  readonly #probe: typeof probe;
  /** Ends the probe or the wait of an endpoint. */
  readonly #running = new Map<EndpointRecord, () => void>();
  /** Starts of probes that wait for others to end, in their order. */
  readonly #waiting = new Set<() => void>();
  #probing = 0;

  /** @param run makes one probe; a test may bring its own */
  constructor(check: HealthCheck, opening: ProbeOpening, log: Logger, run: typeof probe = probe) {
    this.#check = check;
    this.#opening = opening;
    this.#log = log;
    this.#probe = run;
  }

  /**
   * Probes an endpoint from now on. Resolves when the first probe is over, or when the endpoint is forgotten before. The
   * first probe that can be made decides the endpoint's health alone.
   */
  watch(record: EndpointRecord): Promise<void> {
    return new Promise((resolve) => this.#run(record, true, resolve));
  }

  /** Goes on with an endpoint that has been probed in the same way before, and keeps its health. */
  resume(record: EndpointRecord): void {
    const timer = setTimeout(() => this.#run(record, false, null), this.#check.intervalMs * Math.random());
    timer.unref();
    this.#running.set(record, () => clearTimeout(timer));
  }

  forget(record: EndpointRecord): void {
    this.#running.get(record)?.();
    this.#running.delete(record);
    this.#opening.tls?.sessions.delete(record.facts.label);
  }

  stop(): void {
    // Else the end of each probe would start a waiting one.
    this.#waiting.clear();
    for (const record of [...this.#running.keys()]) this.forget(record);
  }

  /** @param decides whether the next verdict counts alone, because it is the first */
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
    const target = { label, server, addresses, ...this.#opening };
    const cancel = this.#probe(target, this.#check, (result) => {
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

  /** Notes that a probe has ended, and starts a waiting one. */
  #startNext(): void {
    this.#probing--;
    const [start] = this.#waiting;
    if (start === undefined) return;
    this.#waiting.delete(start);
    start();
  }

  #take(record: EndpointRecord, result: ProbeResult, ms: number, decides: boolean): void {
    record.count('probes');
    if (result.verdict === 'unmade') {
      record.count('probesUnmade');
      const more = this.#unmade.take();
      const { reason } = result;
      if (more !== null) this.#log.error({ endpoint: record.facts.label, reason, ...more }, 'probe not made');
      return;
    }
    const failure = result.verdict === 'well' ? null : result.reason;
    if (failure !== null) record.count('probeFailures');
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
