import { setTimeout as delay } from 'node:timers/promises';
import { workerThreads } from '../config/schema/capacity.ts';
import type { LoadedConfig } from '../config/loader.ts';
import type { Config } from '../config/types/config.ts';
import { limitFor, planDescriptors, readDescriptorLimit } from '../core/descriptor-limit.ts';
import type { DescriptorPlan } from '../core/descriptor-limit.ts';
import { StartError } from '../core/errors.ts';
import type { TcpAddress } from '../core/address.ts';
import type { LogOutput } from '../telemetry/log-output.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Exposition, pageFamilies } from '../telemetry/prometheus.ts';
import type { ExpositionFormat } from '../telemetry/prometheus.ts';
import { claimAddresses } from './process/address-claim.ts';
import type { HeldAddress } from './process/address-claim.ts';
import { AdminServer } from './admin/admin-server.ts';
import { AdminStats } from './admin/admin-stats.ts';
import { readExpiries } from './process/certificate-expiry.ts';
import type { CertificateExpiry } from './process/certificate-expiry.ts';
import { clusterCommands } from './admin/commands/cluster-commands.ts';
import { clusterFamilies } from './clusters/cluster-metrics.ts';
import { ClusterMonitors } from './clusters/cluster-monitors.ts';
import { controlCommands } from './admin/commands/control-commands.ts';
import type { Controls } from './admin/commands/controls.ts';
import { faultCommands } from './admin/commands/fault-commands.ts';
import { drainable, hasScope } from './control/drain-scopes.ts';
import { Drains } from './control/drains.ts';
import { chooseEngines } from './process/engines.ts';
import type { FileWatch } from './process/file-watch.ts';
import { primaryFamilies } from './admin/pages/primary-metrics.ts';
import { Reloader } from './control/reloader.ts';
import type { ReloadResult } from '../protocol/admin-answers.ts';
import { statusOf } from './admin/pages/status.ts';
import type { PrimaryState } from '../protocol/status.ts';
import { Supervisor } from './workers/supervisor.ts';
import type { SupervisorTimings } from './workers/supervisor.ts';
import { askToHandOver, findPredecessor } from './process/takeover.ts';
import { readVersions } from './process/versions.ts';
import { WorkerRestarts } from './control/worker-restarts.ts';
import { Broadcast } from './workers/broadcast.ts';
import { Generations } from './workers/generations.ts';
import { WorkerPages } from './workers/worker-pages.ts';
import { WorkerRoster } from './workers/worker-roster.ts';
import { WorkerThreads, type WorkerFiles } from './workers/worker-threads.ts';

/** The number of the configuration that the process started with. */
const FIRST_GENERATION = 1;

export interface PrimaryOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Where the workers' lines go. */
  readonly output: Pick<LogOutput, 'write' | 'dropped'>;
  /** Whether the admin server lets tests make a worker throw. */
  readonly faultHooks: boolean;
  /** Reads the configuration anew. */
  readonly load: () => LoadedConfig;
  /** Watches the configuration's files for changes, which bring a reload; null where nobody wants that. */
  readonly watch?: FileWatch | null;
  /** Whether to take the place of a process that runs with the same admin address, if there is one. */
  readonly takeOver?: boolean;
  /** Called when a reload begins, and when it is over. */
  readonly onReload?: (isOver: boolean) => void;
  /** Called when another process has asked this one to hand over and end. */
  readonly onHandOver?: () => void;
  readonly workerFiles: WorkerFiles;
  readonly timings?: SupervisorTimings;
}

/** What has been started. */
export interface Started {
  /** With concrete listener addresses. */
  readonly config: Config;
  readonly admin: TcpAddress;
  readonly generation: number;
  readonly workers: readonly string[];
}

/** The control plane: claims the addresses, starts the workers and the admin server, changes and ends them. */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #log: Logger;
  #state: PrimaryState = 'starting';
  #starting: Promise<Started> | null = null;
  #held: readonly HeldAddress[] = [];
  #certificates: readonly CertificateExpiry[] = [];
  #supervisor: Supervisor | null = null;
  #reloader: Reloader | null = null;
  #drains: Drains | null = null;
  #clusters: ClusterMonitors | null = null;
  #admin: AdminServer | null = null;
  #graceMs = Infinity;
  #ended: Promise<boolean> | null = null;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /**
   * Resolves when all workers listen. Rejects with a StartError where something is in the way, or when
   * {@link end} is called before that; in either case it is end that takes down what has been started.
   */
  start(): Promise<Started> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Reads the configuration anew; the old one stays where the new one cannot be used. */
  async reload(cause: string): Promise<ReloadResult> {
    const reloader = this.#reloader;
    if (reloader !== null && this.#state === 'ready') {
      const { onReload } = this.#options;
      onReload?.(false);
      const result = await reloader.reload(cause);
      // Once it ends, nobody is to be told that it is ready.
      if (this.#ended === null) onReload?.(true);
      return result;
    }
    const problem = `not while the proxy is ${this.#state}`;
    this.#log.warn({ cause }, `the configuration is not reloaded: ${problem}`);
    return { generation: this.#supervisor?.generation ?? FIRST_GENERATION, problem, needsRestart: [] };
  }

  /** Lets whoever balances load in front notice that no new traffic should come, before {@link end}. */
  async announceEnd(): Promise<void> {
    this.#state = 'draining';
    await delay(this.#options.config.shutdown.readyDelayMs);
  }

  /**
   * Ends all workers, giving their connections so many milliseconds, then the admin server. May be called again
   * with fewer.
   *
   * @param handOver whether another process has taken over already
   * @returns whether all workers have ended in time, apart from {@link leftBehind}; if not, only a hard exit can end the
   * process in good order
   */
  end(graceMs: number, handOver = false): Promise<boolean> {
    this.#state = 'draining';
    this.#graceMs = Math.min(this.#graceMs, graceMs);
    this.#drains?.stop();
    this.#options.watch?.stop();
    void this.#endWorkers(handOver);
    // Whoever takes over wants its address.
    if (handOver) void this.#admin?.close();
    this.#ended ??= this.#finish(handOver);
    return this.#ended;
  }

  /** The names of the workers that have not ended, stuck ones excluded. */
  running(): string[] {
    const slots = this.#supervisor?.slots ?? [];
    return slots.filter(({ state }) => state !== 'ended' && state !== 'stuck').map(({ name }) => name);
  }

  /** Threads of stuck workers that have not ended. With one of them only a hard exit ends the process in good order. */
  get leftBehind(): number {
    return this.#supervisor?.leftBehind.count ?? 0;
  }

  /** Why whoever watches the process should replace it; null where it serves, starts or drains. */
  get unwell(): string | null {
    return this.#state === 'ready' ? (this.#supervisor?.problem ?? null) : null;
  }

  async #start(): Promise<Started> {
    const { output, workerFiles, timings, load, watch, takeOver = false } = this.#options;
    const log = this.#log;
    // uWS reads it from the environment of the process; its own 4096 bytes are too few for real cookies.
    process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '16384';
    const descriptorPlan = planOf(this.#options.config, log);
    const predecessor = takeOver && (await findPredecessor(this.#options.config.admin, log));
    const claim = await claimAddresses(chooseEngines(this.#options.config, log), { shared: predecessor });
    this.#held = claim.held;
    const config = { ...this.#options.config, listeners: claim.listeners };
    const pages = new WorkerPages(config);
    const roster = new WorkerRoster();
    const generations = new Generations(config, FIRST_GENERATION, pages);
    const broadcast = new Broadcast({ roster, pages, generations });
    const clusters = (this.#clusters = new ClusterMonitors(config.clusters, { broadcast, pages }, log));
    const supervisor = new Supervisor({
      roster,
      pages,
      generations,
      broadcast,
      threads: new WorkerThreads(log, workerFiles),
      log,
      onLines: (lines) => output.write(lines),
      onEndpointFailed: clusters.endpointFailed,
      clusterStates: clusters.states,
      descriptorPlan,
      ...(timings !== undefined && { timings }),
    });
    this.#supervisor = supervisor;
    this.#certificates = readExpiries(config.listeners, log);
    const drains = (this.#drains = new Drains(drainable(supervisor, clusters), log));
    const current = this.#options.config;
    const apply = (next: Config): Promise<number> => this.#apply(supervisor, clusters, next);
    const reloader = (this.#reloader = new Reloader(
      { log, load, onRead: (files, usable) => watch?.read(files, usable), current, apply },
      FIRST_GENERATION,
    ));
    const server = (this.#admin = this.#createAdmin(supervisor, clusters, reloader, drains, descriptorPlan));
    let admin: TcpAddress | null = null;
    try {
      if (!predecessor) admin = await server.listen(config.admin.address);
      await clusters.ready();
      this.#goOn();
      claim.release();
      await supervisor.start();
      this.#goOn();
    } finally {
      claim.free();
    }
    if (admin === null) {
      await askToHandOver(config.admin, log);
      admin = await listenSoon(server, config.admin.address);
      this.#goOn();
    }
    this.#state = 'ready';
    watch?.start(() => this.reload('file change'));
    const workers = supervisor.slots.map(({ name }) => name);
    return { config, admin, generation: FIRST_GENERATION, workers };
  }

  #goOn(): void {
    if (this.#ended !== null) throw new StartError('stopped before it was ready');
  }

  /** Brings a configuration into force; rejects where it cannot be, and the old one stays. */
  async #apply(supervisor: Supervisor, clusters: ClusterMonitors, next: Config): Promise<number> {
    const log = this.#log;
    const claim = await claimAddresses(chooseEngines(next, log), { held: this.#held });
    const config = { ...next, listeners: claim.listeners };
    const change = clusters.prepare(config.clusters);
    try {
      const states = await change.ready();
      claim.release();
      await supervisor.reload(config, supervisor.generation + 1, states, () => {
        change.commit();
        this.#drains?.retain((scope) => hasScope(supervisor, clusters, scope));
      });
    } catch (error) {
      change.abort();
      throw error;
    } finally {
      claim.free();
    }
    this.#held = claim.held;
    this.#certificates = readExpiries(config.listeners, log);
    log.level = config.log.level;
    return supervisor.generation;
  }

  async #endWorkers(handOver: boolean): Promise<boolean> {
    const supervisor = this.#supervisor;
    if (supervisor === null) return true;
    const { drain } = supervisor.config;
    return supervisor.end({ graceMs: this.#graceMs, drain, heirs: handOver ? 'process' : null });
  }

  async #finish(handOver: boolean): Promise<boolean> {
    await this.#starting?.catch(() => undefined);
    const ended = await this.#endWorkers(handOver);
    this.#clusters?.stop();
    await this.#admin?.close();
    return ended;
  }

  #createAdmin(
    supervisor: Supervisor,
    clusters: ClusterMonitors,
    reloader: Reloader,
    drains: Drains,
    descriptorPlan: DescriptorPlan | null,
  ): AdminServer {
    const { output, faultHooks } = this.#options;
    const { sums } = supervisor;
    const versions = readVersions();
    const droppedLines = (): number => output.dropped;
    const certificates = (): readonly CertificateExpiry[] => this.#certificates;
    const stats = new AdminStats();
    const exposition = new Exposition([
      ...pageFamilies(sums),
      ...clusterFamilies(clusters),
      ...primaryFamilies({
        supervisor,
        reloader,
        drains: () => drains.progress,
        certificates,
        versions,
        droppedLines,
      }),
      ...stats.families,
    ]);
    const view = {
      metrics: (format: ExpositionFormat) => {
        supervisor.releaseSeries();
        return exposition.render(format);
      },
      notLive: () => supervisor.hopeless,
      notReady: () => this.#notReady(supervisor),
      status: () => statusOf({ supervisor, clusters, reloader, drains, versions, state: this.#state }),
      commands: [
        ...controlCommands(this.#controls(supervisor, clusters, drains)),
        ...clusterCommands(clusters),
        ...(faultHooks ? faultCommands(supervisor.harm) : []),
      ],
      get token() {
        return supervisor.config.admin.token;
      },
      get hosts() {
        const { address, hosts } = supervisor.config.admin;
        return [address.host.toLowerCase(), ...hosts];
      },
    };
    return new AdminServer(view, stats, this.#log, { descriptorPlan });
  }

  #controls(supervisor: Supervisor, clusters: ClusterMonitors, drains: Drains): Controls {
    const restarts = new WorkerRestarts(supervisor, this.#log);
    return {
      reload: (cause) => this.reload(cause),
      get drainSettings() {
        return supervisor.config.drain;
      },
      has: (scope) => hasScope(supervisor, clusters, scope),
      drain: (scope, settings) => {
        const { readyDelayMs } = supervisor.config.shutdown;
        return drains.begin(scope, settings, scope.kind === 'all' ? readyDelayMs : 0);
      },
      undrain: (scope) => drains.cancel(scope),
      handOver: () => void setImmediate(() => this.#options.onHandOver?.()),
      restart: (worker) => restarts.ask(worker),
    };
  }

  #notReady(supervisor: Supervisor): string | null {
    if (this.#state !== 'ready') return this.#state;
    if (this.#drains?.ofAll === true) return 'draining';
    return supervisor.problem;
  }
}

/** Divides the process's descriptors; null for no limit. */
function planOf(config: Config, log: Logger): DescriptorPlan | null {
  const limit = readDescriptorLimit();
  if (limit === null) return null;
  const threads = workerThreads(config);
  const plan = planDescriptors(limit, threads);
  if (plan.clients === 0) {
    throw new StartError(
      `the limit of ${limit} open descriptors leaves none for clients: raise it to ${limitFor(100, threads)} or more ` +
        '(ulimit -n, LimitNOFILE=)',
    );
  }
  log.info({ limit, maxClients: plan.clients }, 'descriptor limit');
  return plan;
}

/** The process whose place is taken lets go of its address after it has answered. */
async function listenSoon(server: AdminServer, address: TcpAddress): Promise<TcpAddress> {
  const end = performance.now() + 10_000;
  for (;;) {
    try {
      return await server.listen(address);
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(50);
    }
  }
}
