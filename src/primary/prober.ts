import type { HealthCheck } from '../config/types.ts';
import { probe } from '../upstream/probe.ts';
import type { UpstreamTls } from '../upstream/upstream-tls.ts';
import type { EndpointRecord } from './endpoint-record.ts';

/** Each wait differs from the interval by up to this part of it, so that proxies and endpoints fall out of step. */
const JITTER = 0.1;

/** Probes the endpoints of a cluster, each by itself, for as long as it belongs to it. */
export class Prober {
  readonly #check: HealthCheck;
  readonly #tls: UpstreamTls | null;
  readonly #probe: typeof probe;
  /** How to end what is under way, by endpoint. */
  readonly #running = new Map<EndpointRecord, () => void>();

  /** @param run does one probe; a test may bring its own */
  constructor(check: HealthCheck, tls: UpstreamTls | null, run: typeof probe = probe) {
    this.#check = check;
    this.#tls = tls;
    this.#probe = run;
  }

  /** Probes an endpoint from now on. Resolves when the first probe is over, which decides by itself. */
  watch(record: EndpointRecord): Promise<void> {
    return new Promise((resolve) => this.#run(record, resolve));
  }

  /** Goes on with one that has been probed in the same way before; what that has found counts. */
  resume(record: EndpointRecord): void {
    const timer = setTimeout(() => this.#run(record, null), this.#check.intervalMs * Math.random());
    timer.unref();
    this.#running.set(record, () => clearTimeout(timer));
  }

  forget(record: EndpointRecord): void {
    this.#running.get(record)?.();
    this.#running.delete(record);
  }

  stop(): void {
    for (const record of [...this.#running.keys()]) this.forget(record);
  }

  #run(record: EndpointRecord, onFirst: (() => void) | null): void {
    const { label, server, addresses } = record.facts;
    const startedAt = performance.now();
    const cancel = this.#probe({ label, server, addresses, tls: this.#tls }, this.#check, (failure) => {
      record.counts.probes++;
      if (failure !== null) record.counts.probeFailures++;
      record.lastProbe = { at: Date.now(), ms: performance.now() - startedAt, failure };
      this.#judge(record, failure, onFirst !== null);
      const wait = this.#check.intervalMs * (1 + JITTER * (2 * Math.random() - 1));
      const timer = setTimeout(() => this.#run(record, null), wait);
      timer.unref();
      this.#running.set(record, () => clearTimeout(timer));
      onFirst?.();
    });
    this.#running.set(record, cancel);
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
