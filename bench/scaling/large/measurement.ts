import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../../figures/statistics.ts';
import type { Stage } from '../../rig/stage.ts';
import type { LargePeer } from './large-peer.ts';
import { Prober, type Probing } from './prober.ts';
import { RunningPeer } from './running-peer.ts';
import { changedBody, changedHost, type LargeSizes } from './sizes.ts';

/** Time until lazy setup is done, and V8 has collected the garbage of the start. */
const SETTLE_MS = 3000;
/**
 * Number of connections. Each of a few workers probably gets one. With two workers, the kernel's hash gives
 * all connections to one of them in 1 of 128 cases.
 */
const WEB_CONNECTIONS = 8;
/** Duration of the measurement without reloads: as long as ten reloads of 300 ms. */
const BASELINE_MS = 3000;
const BETWEEN_RELOADS_MS = 200;

/** Times in which the proxy's threads serve no client, in milliseconds. */
export interface StallTimes {
  /** The longest response time of a worker. */
  readonly workers: number;
  /** The longest response time of the admin address. */
  readonly primary: number;
  /** The longest delay of the clients themselves. It can make a response look late. */
  readonly clients: number;
  /** Requests to workers without an answer. */
  readonly failures: number;
}

/** The cost of an idle proxy. */
export interface StartFigures {
  readonly readyMs: number;
  /** CPU time of all threads until ready, in milliseconds. Other load affects this figure least. */
  readonly readyCpuMs: number;
  /** In bytes. */
  readonly memory: number;
}

/** The cost of changing one route. */
export interface ReloadFigures {
  readonly reloads: number;
  /** In bytes, after the last reload. */
  readonly memory: number;
  readonly inForceMs: { readonly median: number; readonly max: number };
  readonly holds: StallTimes;
  /** The same measurement without reloads: the noise of the machine. */
  readonly calm: StallTimes;
}

/** The cost of a page of metrics. */
export interface MetricsFigures {
  readonly bytes: number;
  readonly ms: number;
  readonly holds: StallTimes;
}

/** Starts a proxy, measures its start without clients, and stops it. */
export async function measureStart(stage: Stage, peer: LargePeer, sizes: LargeSizes): Promise<StartFigures> {
  const running = await RunningPeer.start(stage, peer, sizes);
  await delay(SETTLE_MS);
  const figures = { readyMs: running.readyMs, readyCpuMs: running.readyCpuMs, memory: running.memory() };
  await running.stop();
  return figures;
}

/**
 * Changes one route repeatedly while requests are sent.
 *
 * @throws Error if a change does not take effect
 */
export async function measureReloads(running: RunningPeer, reloads: number): Promise<ReloadFigures> {
  const probers = new Probers(running);
  try {
    const calm = await probers.calm(running.version);
    const seen: StallTimes[] = [];
    const times: number[] = [];
    for (let count = 0; count < reloads; count++) {
      running.writeNextVersion();
      probers.begin(running.version);
      // Send requests before the reload, so that each connection sees the answer change.
      await delay(BETWEEN_RELOADS_MS);
      const from = performance.now();
      running.reload();
      times.push((await probers.inForce()) - from);
      await delay(BETWEEN_RELOADS_MS);
      seen.push(probers.holds());
    }
    return {
      reloads,
      memory: running.memory(),
      inForceMs: { median: median(times), max: Math.max(...times) },
      holds: worstOf(seen),
      calm,
    };
  } finally {
    probers.end();
  }
}

/**
 * Reads the metrics like a scraper while requests are sent.
 *
 * @throws Error if the proxy has no metrics
 */
export async function measureMetrics(running: RunningPeer): Promise<MetricsFigures> {
  const probers = new Probers(running);
  try {
    await probers.calm(running.version);
    probers.begin(running.version);
    const from = performance.now();
    const headers = { 'cache-control': 'no-cache' };
    const response = await fetch(`http://127.0.0.1:${running.ports.admin}/metrics`, { headers });
    if (!response.ok || response.body === null) throw new Error(`/metrics: status ${response.status}`);
    let bytes = 0;
    for await (const piece of response.body) bytes += (piece as Uint8Array).byteLength;
    const ms = performance.now() - from;
    return { bytes, ms, holds: probers.holds() };
  } finally {
    probers.end();
  }
}

/** Returns the worst of several measurements. */
export function worstOf(all: readonly StallTimes[]): StallTimes {
  const most = (of: (holds: StallTimes) => number): number => Math.max(0, ...all.map(of));
  return {
    workers: most(({ workers }) => workers),
    primary: most(({ primary }) => primary),
    clients: most(({ clients }) => clients),
    failures: all.reduce((sum, { failures }) => sum + failures, 0),
  };
}

/** The clients of a measurement: several for the workers, and one for the primary. */
class Probers {
  readonly #peer: LargePeer;
  readonly #workers: Prober;
  readonly #primary: Prober;

  constructor({ peer, ports }: RunningPeer) {
    this.#peer = peer;
    this.#workers = new Prober(ports.web, WEB_CONNECTIONS);
    this.#primary = new Prober(ports.admin, 1);
  }

  begin(version: number): void {
    this.#workers.begin(changedHost(version), '/', changedBody(version));
    this.#primary.begin('localhost', this.#peer.livePath);
  }

  inForce(): Promise<number> {
    return this.#workers.inForce();
  }

  async calm(version: number): Promise<StallTimes> {
    this.begin(version);
    // The first requests wait for their connections.
    await this.inForce();
    this.begin(version);
    await delay(BASELINE_MS);
    return this.holds();
  }

  holds(): StallTimes {
    const workers = this.#workers.seen();
    return {
      workers: longest(workers),
      primary: longest(this.#primary.seen()),
      clients: workers.ownDelay,
      failures: workers.failures,
    };
  }

  end(): void {
    this.#workers.end();
    this.#primary.end();
  }
}

function longest({ latencies }: Probing): number {
  return latencies.at(-1) ?? 0;
}
