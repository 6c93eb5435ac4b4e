import type { LoadedConfig } from '../config/loader.ts';
import type { Config } from '../config/types/config.ts';
import type { Slices } from '../core/timing/slices.ts';
import type { RevocationsCommand } from '../protocol/access.ts';
import { ExemplarStore } from '../telemetry/exposition/exemplar-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LogOutputs } from '../telemetry/output/log-outputs.ts';
import { AccessService } from './access/access-service.ts';
import { createKeySets } from './access/key-sets/key-sets.ts';
import { PasswordThread } from './access/passwords/password-thread.ts';
import { Passwords } from './access/passwords/passwords.ts';
import { RevocationService } from './access/revocations/revocation-service.ts';
import { SessionService } from './access/sessions/session-service.ts';
import { WorkerQuestions } from './access/sessions/worker-questions.ts';
import { RedisServices } from './access/redis/redis-services.ts';
import { EventStore } from './admin/events/event-store.ts';
import { EventWatch } from './admin/events/event-watch.ts';
import { buildAdmin } from './build-admin.ts';
import { ClusterMonitors } from './clusters/cluster-monitors.ts';
import { Drains } from './control/drains.ts';
import type { Lifecycle } from './control/lifecycle.ts';
import { LiveConfig } from './control/live-config.ts';
import { Reloader } from './control/reloader.ts';
import { LimitTables } from './limits/limit-tables.ts';
import { claimAddresses } from './process/address-claim.ts';
import type { FileWatch } from './process/file-watch.ts';
import type { Resources } from './resources.ts';
import { Running } from './running.ts';
import { TicketKeys } from './tickets/ticket-keys.ts';
import { TapService } from './tap/tap-service.ts';
import { loadPipeline, SpanService } from './tracing/span-service.ts';
import { noteExemplars } from './tracing/span-exemplars.ts';
import { Broadcast } from './workers/broadcast.ts';
import { ClusterRecords } from './workers/cluster-records.ts';
import { CurrentGeneration } from './workers/current-generation.ts';
import { Supervisor, type SupervisorTimings } from './workers/supervisor.ts';
import { WorkerPages } from './workers/worker-pages.ts';
import { WorkerRoster } from './workers/worker-roster.ts';
import { WorkerThreads, type WorkerFiles } from './workers/worker-threads.ts';

/** Number of the first configuration of the process. */
export const FIRST_GENERATION = 1;

export interface PrimaryOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Receives the workers' log lines. */
  readonly output: Pick<LogOutputs, 'write' | 'writeAccess' | 'dropped' | 'states' | 'prepare'>;
  /** Whether the admin server lets tests break workers. */
  readonly faultHooks: boolean;
  /** Reads the configuration again. */
  readonly load: (slices: Slices) => Promise<LoadedConfig>;
  /** Reloads the configuration when its files change; null to disable. */
  readonly watch?: FileWatch | null;
  /** Whether to replace a process that serves the same admin address, if there is one. */
  readonly takeOver?: boolean;
  /** Called when a reload begins, and when it is over. */
  readonly onReload?: (isOver: boolean) => void;
  /** Called when another process asks this one to hand over and end. */
  readonly onHandOver?: (pid: number | null) => void;
  readonly workerFiles: WorkerFiles;
  readonly timings?: SupervisorTimings;
}

/** Builds all parts of the primary. No worker or server runs yet. */
export function build(options: PrimaryOptions, resources: Resources, lifecycle: Lifecycle): Running {
  const { config: current, log, output, load, watch = null, onReload, workerFiles, timings } = options;
  const { predecessor, claim, engines } = resources;
  const config = { ...current, listeners: claim.listeners };

  const pages = new WorkerPages(config);
  const records = new ClusterRecords(pages.directory);
  const roster = new WorkerRoster();
  const inherited = predecessor?.ticketKeys;
  const ticketKeys = new TicketKeys(config.listeners, inherited === undefined ? {} : { inherited });
  const limitTables = new LimitTables(config.listeners);
  const currentGeneration = new CurrentGeneration(config, FIRST_GENERATION, {
    pages,
    ticketKeys,
    limitTables,
    records,
  });
  const events = new EventStore();
  const broadcast = new Broadcast({ roster, pages, currentGeneration, records });
  const clusters = new ClusterMonitors(config.clusters, { broadcast, pages, report: events.record }, log);
  const passwords = new Passwords(new PasswordThread(log), log);
  const keySets = createKeySets(config, broadcast, log);
  const questions = new WorkerQuestions({
    workers: () => roster.everyone,
    stuck: () => supervisor.leftBehind.slots,
  });
  const sessions = new SessionService(questions);
  const send = (command: RevocationsCommand): void => broadcast.send(command);
  const revocations = new RevocationService(config.revocations, { questions, send, log });
  if (predecessor !== null) revocations.inherit(predecessor.revocations);
  const exemplars = new ExemplarStore();
  const spans = new SpanService({
    log,
    load: loadPipeline,
    onQueued: (span) => noteExemplars(exemplars, span),
  });
  spans.apply(config.tracing);
  const taps = new TapService({
    settings: () => supervisor.config.admin,
    sendToWorkers: (command) => broadcast.send(command),
    report: events.record,
    log,
  });
  const clientService = new AccessService({ passwords, keySets, questions, revocations });
  const supervisor: Supervisor = new Supervisor({
    roster,
    pages,
    currentGeneration,
    broadcast,
    threads: new WorkerThreads(log, workerFiles),
    log,
    onTelemetry: (report, worker) => {
      if (report.type === 'log') output.write(report.lines);
      else if (report.type === 'spans') spans.take(report.spans, report.dropped);
      else if (report.type === 'tap') taps.receive(report, worker);
      else if (report.type === 'access_lines') output.writeAccess(report.lines);
      else events.receive(report, worker);
    },
    onEndpointFailed: clusters.endpointFailed,
    clientService,
    tapOrders: () => taps.orders,
    clusterRecords: () => clusters.all.map((monitor) => records.of(monitor.config, monitor.state())),
    descriptorPlan: resources.descriptorPlan,
    ...(timings !== undefined && { timings }),
  });

  const redis = new RedisServices({
    settings: () => supervisor.config.redis,
    entries: () => limitTables.entries,
    revocations,
    log,
  });
  const drains = new Drains(supervisor, clusters, log);
  const liveConfig = new LiveConfig(
    {
      supervisor,
      clusters,
      drains,
      keySets,
      revocations,
      spans,
      taps,
      output,
      claim: (next, held) => claimAddresses(engines.choose(next), { held }),
      log,
    },
    claim,
  );
  const reloader = new Reloader(
    {
      log,
      lifecycle,
      load,
      onRead: (files, usable) => watch?.read(files, usable),
      ...(onReload !== undefined && { onReload }),
      current,
      report: events.record,
      apply: (next) => liveConfig.apply(next),
    },
    FIRST_GENERATION,
  );

  const eventWatch = new EventWatch({
    supervisor,
    keySets,
    redis,
    liveConfig,
    droppedLines: () => Object.values(output.dropped).reduce((sum, count) => sum + count, 0),
    report: events.record,
  });
  const controlled = {
    exemplars,
    lifecycle,
    supervisor,
    clusters,
    drains,
    reloader,
    liveConfig,
    ticketKeys,
    limitTables,
    passwords,
    keySets,
    sessions,
    revocations,
    redis,
    spans,
    taps,
    events,
  };
  const admin = buildAdmin(controlled, options, resources);
  const parts = {
    config,
    lifecycle,
    claim,
    predecessor,
    supervisor,
    clusters,
    drains,
    reloader,
    admin,
    watch,
    passwords,
    keySets,
    revocations,
    redis,
    spans,
    taps,
    eventWatch,
  };
  return new Running(parts);
}
