import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/types/config.ts';
import type { TcpAddress } from '../core/address.ts';
import type { ReloadResult } from '../protocol/admin/answers.ts';
import type { WorkerState } from '../protocol/admin/status.ts';
import { releaseFreePages } from '../sys/memory/allocator.ts';
import { releaseHeap } from '../sys/memory/heap.ts';
import type { KeySets } from './access/key-sets/key-sets.ts';
import type { Passwords } from './access/passwords/passwords.ts';
import type { RevocationService } from './access/revocations/revocation-service.ts';
import type { RedisServices } from './access/redis/redis-services.ts';
import type { AdminServer } from './admin/admin-server.ts';
import type { EventWatch } from './admin/events/event-watch.ts';
import type { ClusterMonitors } from './clusters/cluster-monitors.ts';
import type { Drains } from './control/drains.ts';
import type { Lifecycle } from './control/lifecycle.ts';
import type { Reloader } from './control/reloader.ts';
import type { EndOrder, Phase } from './phase.ts';
import type { AddressClaim } from './process/address-claim.ts';
import type { FileWatch } from './process/file-watch.ts';
import type { Predecessor } from './process/takeover.ts';
import type { TapService } from './tap/tap-service.ts';
import type { SpanService } from './tracing/span-service.ts';
import type { Supervisor } from './workers/supervisor.ts';

/** Facts about a started primary. */
export interface Started {
  /** Addresses of listeners are concrete. */
  readonly config: Config;
  readonly admin: TcpAddress;
  readonly generation: number;
  readonly workers: readonly string[];
}

interface RunningWorkers extends Pick<Supervisor, 'start' | 'end' | 'generation' | 'problem'> {
  readonly config: Pick<Config, 'drain'>;
  readonly slots: readonly { readonly name: string; readonly state: WorkerState }[];
  readonly leftBehind: { readonly count: number };
}

interface RunningParts {
  /** Addresses of listeners are concrete. */
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  readonly claim: Pick<AddressClaim, 'release' | 'free'>;
  /** The process that hands over to this one, or null. */
  readonly predecessor: Pick<Predecessor, 'handOver'> | null;
  readonly supervisor: RunningWorkers;
  readonly clusters: Pick<ClusterMonitors, 'ready' | 'stop'>;
  readonly drains: Pick<Drains, 'stop'>;
  readonly reloader: Pick<Reloader, 'reload'>;
  readonly admin: Pick<AdminServer, 'listen' | 'close'>;
  /** Watches the files of the configuration; null to disable. */
  readonly watch: Pick<FileWatch, 'start' | 'stop'> | null;
  readonly passwords: Pick<Passwords, 'close'>;
  readonly keySets: Pick<KeySets, 'start' | 'stop'>;
  readonly revocations: Pick<RevocationService, 'inherit' | 'close'>;
  readonly redis: Pick<RedisServices, 'start' | 'stop'>;
  readonly spans: Pick<SpanService, 'stop' | 'hurry'>;
  readonly taps: Pick<TapService, 'stop'>;
  readonly eventWatch: Pick<EventWatch, 'start' | 'stop'>;
}

/** Max time for the predecessor to close its admin address. */
const ADDRESS_TIMEOUT_MS = 10_000;
const ADDRESS_RETRY_MS = 50;

/** The whole primary. Starts its parts in order, and ends them. */
export class Running implements Phase {
  readonly #parts: RunningParts;
  /** Settles when the start has succeeded or failed. */
  #settled: Promise<unknown> = Promise.resolve();
  #graceMs = Infinity;
  #ended: Promise<boolean> | null = null;

  constructor(parts: RunningParts) {
    this.#parts = parts;
  }

  /** Resolves when all workers listen. @throws StartError if that fails, or the end begins first */
  start(): Promise<Started> {
    const started = this.#startParts();
    this.#settled = started.catch(() => undefined);
    return started;
  }

  reload(cause: string): Promise<ReloadResult> {
    return this.#parts.reloader.reload(cause);
  }

  end({ graceMs, handOver }: EndOrder): Promise<boolean> {
    const { drains, watch, spans } = this.#parts;
    this.#graceMs = Math.min(this.#graceMs, graceMs);
    drains.stop();
    watch?.stop();
    void this.#endWorkers(handOver);
    // The process that takes over needs the address.
    if (handOver) void this.#closeAdmin('another process takes over');
    // The grace period is for connections. A second request to end also cuts the last export of spans short.
    if (this.#ended !== null && this.#graceMs === 0) spans.hurry();
    this.#ended ??= this.#finish(handOver);
    return this.#ended;
  }

  get workers(): readonly string[] {
    const running = this.#parts.supervisor.slots.filter(
      ({ state }) => state !== 'ended' && state !== 'stuck',
    );
    return running.map(({ name }) => name);
  }

  get leftBehind(): number {
    return this.#parts.supervisor.leftBehind.count;
  }

  get unhealthy(): string | null {
    const { lifecycle, supervisor } = this.#parts;
    return lifecycle.state === 'ready' ? supervisor.problem : null;
  }

  async #startParts(): Promise<Started> {
    const { config, lifecycle, claim, predecessor, supervisor, clusters, keySets, reloader, watch } =
      this.#parts;
    const { address } = config.admin;
    let admin = address;
    try {
      if (predecessor === null) admin = await this.#parts.admin.listen(address);
      await Promise.all([clusters.ready(), keySets.start()]);
      lifecycle.continueStart();
      claim.release();
      this.#parts.redis.start();
      this.#parts.eventWatch.start();
      await supervisor.start();
      lifecycle.continueStart();
    } finally {
      claim.free();
    }
    if (predecessor !== null) {
      this.#parts.revocations.inherit(await predecessor.handOver());
      admin = await this.#listenWhenFree(address);
      lifecycle.continueStart();
    }
    releaseHeap();
    // Frees the memory arenas of the workers too, now that all have started.
    releaseFreePages();
    lifecycle.becomeReady();
    watch?.start(() => reloader.reload('file change'));
    const { generation, slots } = supervisor;
    return { config, admin, generation, workers: slots.map(({ name }) => name) };
  }

  /** Retries until the predecessor has closed its admin address, which it does after its answer. */
  async #listenWhenFree(address: TcpAddress): Promise<TcpAddress> {
    const end = performance.now() + ADDRESS_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.#parts.admin.listen(address);
      } catch (error) {
        if (performance.now() > end) throw error;
        await delay(ADDRESS_RETRY_MS);
      }
    }
  }

  async #endWorkers(handOver: boolean): Promise<boolean> {
    const { supervisor } = this.#parts;
    const { drain } = supervisor.config;
    return supervisor.end({ graceMs: this.#graceMs, drain, successors: handOver ? 'process' : null });
  }

  /** Closes the admin address. @param reason reason for the readers of taps */
  async #closeAdmin(reason: string): Promise<void> {
    await this.#parts.taps.stop(reason);
    await this.#parts.admin.close();
  }

  async #finish(handOver: boolean): Promise<boolean> {
    await this.#settled;
    const ended = await this.#endWorkers(handOver);
    this.#parts.clusters.stop();
    this.#parts.keySets.stop();
    this.#parts.eventWatch.stop();
    await this.#parts.redis.stop();
    await this.#parts.passwords.close();
    await this.#parts.revocations.close();
    await this.#parts.spans.stop();
    await this.#closeAdmin('the proxy has ended');
    return ended;
  }
}
