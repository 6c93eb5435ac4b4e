import type { Config } from '../config/types.ts';
import { StartError } from '../core/errors.ts';
import type { TcpAddress } from '../core/address.ts';
import type { LogOutput } from '../telemetry/log-output.ts';
import type { Logger } from '../telemetry/logger.ts';
import { PageSums } from '../telemetry/page-sums.ts';
import { Exposition, pageFamilies } from '../telemetry/prometheus.ts';
import { claimAddresses } from './address-claim.ts';
import { AdminServer } from './admin-server.ts';
import { readExpiries } from './certificate-expiry.ts';
import { clusterCommands } from './cluster-commands.ts';
import { clusterFamilies } from './cluster-metrics.ts';
import { ClusterMonitors } from './cluster-monitors.ts';
import { chooseEngines } from './engines.ts';
import { primaryFamilies } from './primary-metrics.ts';
import { statusOf } from './status.ts';
import type { PrimaryState } from './status.ts';
import { Supervisor } from './supervisor.ts';
import type { SupervisorTimings, WorkerFiles } from './supervisor.ts';
import { readVersions } from './versions.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** The number of the configuration that the process started with. */
const GENERATION = 1;

export interface PrimaryOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Where the workers' lines go. */
  readonly output: Pick<LogOutput, 'write' | 'dropped'>;
  /** Whether the admin server lets tests make a worker throw. */
  readonly faultHooks: boolean;
  readonly workerFiles?: WorkerFiles;
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

/** The control plane: claims the addresses, starts the workers and the admin server, and ends them. */
export class Primary {
  readonly #options: PrimaryOptions;
  #state: PrimaryState = 'starting';
  #starting: Promise<Started> | null = null;
  #supervisor: Supervisor | null = null;
  #clusters: ClusterMonitors | null = null;
  #admin: AdminServer | null = null;
  #graceMs = Infinity;
  #drained: Promise<boolean> | null = null;

  constructor(options: PrimaryOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all workers listen. Rejects with a StartError where something is in the way, or when
   * {@link drain} is called before that; in either case it is drain that takes down what has been started.
   */
  start(): Promise<Started> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * Ends all workers, giving their connections so many milliseconds, then the admin server. May be called again
   * with fewer.
   *
   * @returns whether all workers have ended in time; if not, only a hard exit can end the process in good order
   */
  drain(graceMs: number): Promise<boolean> {
    this.#state = 'draining';
    this.#graceMs = Math.min(this.#graceMs, graceMs);
    void this.#supervisor?.drain(this.#graceMs);
    this.#drained ??= this.#finish();
    return this.#drained;
  }

  /** The names of the workers that have not ended. */
  running(): string[] {
    const slots = this.#supervisor?.slots ?? [];
    return slots.filter(({ state }) => state !== 'ended').map(({ name }) => name);
  }

  async #start(): Promise<Started> {
    const { log, output, workerFiles, timings } = this.#options;
    // uWS reads it from the environment of the process; its own 4096 bytes are too few for real cookies.
    process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '16384';
    const listeners = chooseEngines(this.#options.config, log);
    const claim = await claimAddresses(listeners);
    const config = { ...this.#options.config, listeners: claim.listeners };
    const clusters = (this.#clusters = new ClusterMonitors(config.clusters, log, () => supervisor));
    const supervisor: Supervisor = new Supervisor({
      config,
      generation: GENERATION,
      log,
      onLines: (lines) => output.write(lines),
      onEndpointFailed: clusters.endpointFailed,
      clusterStates: clusters.states,
      ...(workerFiles !== undefined && { workerFiles }),
      ...(timings !== undefined && { timings }),
    });
    this.#supervisor = supervisor;
    this.#admin = this.#createAdmin(config, supervisor, clusters);
    const admin = await this.#admin.listen(config.admin.address).finally(claim.release);
    this.#goOn();
    await clusters.ready();
    this.#goOn();
    await supervisor.start();
    this.#goOn();
    this.#state = 'ready';
    return { config, admin, generation: GENERATION, workers: supervisor.slots.map(({ name }) => name) };
  }

  #goOn(): void {
    if (this.#drained !== null) throw new StartError('stopped before it was ready');
  }

  async #finish(): Promise<boolean> {
    await this.#starting?.catch(() => undefined);
    const ended = (await this.#supervisor?.drain(this.#graceMs)) ?? true;
    this.#clusters?.stop();
    await this.#admin?.close();
    return ended;
  }

  #createAdmin(
    config: Config,
    { slots, layout, pages, fault }: Supervisor,
    clusters: ClusterMonitors,
  ): AdminServer {
    const { log, output, faultHooks } = this.#options;
    const sums = new PageSums(layout, pages);
    const versions = readVersions();
    const generation = GENERATION;
    const { listeners } = config;
    const certificates = readExpiries(listeners, log);
    const droppedLines = (): number => output.dropped;
    const exposition = new Exposition([
      ...pageFamilies(sums, (labels) => clusters.relabel(labels)),
      ...primaryFamilies({ slots, generation, certificates, versions, droppedLines, listeners }),
      ...clusterFamilies(clusters),
    ]);
    const view = {
      metrics: (accept: string) => exposition.render(accept),
      notReady: () => this.#notReady(slots),
      status: () => statusOf({ config, slots, sums, clusters, versions, generation, state: this.#state }),
      commands: clusterCommands(clusters),
      token: config.admin.token,
      fault: faultHooks ? fault : null,
    };
    return new AdminServer(view, log);
  }

  #notReady(slots: readonly WorkerSlot[]): string | null {
    if (this.#state !== 'ready') return this.#state;
    const missing = slots.filter(({ state }) => state !== 'up').map(({ name }) => name);
    return missing.length === 0 ? null : `not up: ${missing.join(', ')}`;
  }
}
