import type { DescriptorPlan } from '../core/descriptor-limit.ts';
import type { ExemplarStore } from '../telemetry/exposition/exemplar-store.ts';
import { Exposition } from '../telemetry/exposition/exposition.ts';
import { pageFamilies } from '../telemetry/exposition/page-families.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LogOutputs } from '../telemetry/output/log-outputs.ts';
import { keySetFamilies } from './access/key-sets/key-set-metrics.ts';
import type { KeySets } from './access/key-sets/key-sets.ts';
import { passwordFamilies } from './access/passwords/password-metrics.ts';
import type { Passwords } from './access/passwords/passwords.ts';
import { rowOf } from './access/revocations/revocation-codec.ts';
import type { RevocationService } from './access/revocations/revocation-service.ts';
import { operatorFamilies } from './access/operator-families.ts';
import type { SessionService } from './access/sessions/session-service.ts';
import { redisFamilies } from './access/redis/redis-metrics.ts';
import type { RedisServices } from './access/redis/redis-services.ts';
import { AdminServer } from './admin/admin-server.ts';
import { AdminStats } from './admin/admin-stats.ts';
import type { AdminView } from './admin/admin-view.ts';
import { clusterCommands } from './admin/commands/cluster-commands.ts';
import { controlCommands } from './admin/commands/control-commands.ts';
import type { Controls } from './admin/commands/controls.ts';
import { eventCommands } from './admin/commands/event-commands.ts';
import { faultCommands } from './admin/commands/fault-commands.ts';
import { principalCommands } from './admin/commands/principal-commands.ts';
import { sessionCommands } from './admin/commands/session-commands.ts';
import type { EventStore } from './admin/events/event-store.ts';
import { FrameWriter } from './admin/live/live-frame.ts';
import { tapCommand } from './admin/tap/tap-command.ts';
import { primaryFamilies } from './admin/pages/primary-families.ts';
import { statusPage } from './admin/pages/status.ts';
import type { TapService } from './tap/tap-service.ts';
import { tapFamilies } from './tap/tap-metrics.ts';
import { tracingFamilies } from './tracing/tracing-metrics.ts';
import type { SpanService } from './tracing/span-service.ts';
import { clusterFamilies } from './clusters/cluster-metrics.ts';
import type { ClusterMonitors } from './clusters/cluster-monitors.ts';
import type { Drains } from './control/drains.ts';
import type { Lifecycle } from './control/lifecycle.ts';
import type { LiveConfig } from './control/live-config.ts';
import type { Reloader } from './control/reloader.ts';
import { WorkerRestarts } from './control/worker-restarts.ts';
import type { Engines } from './process/engines.ts';
import { readVersions } from './process/versions.ts';
import { formatTicketKeys } from './tickets/handover-keys.ts';
import { sendKeys } from './tickets/key-channel.ts';
import type { LimitTables } from './limits/limit-tables.ts';
import type { TicketKeys } from './tickets/ticket-keys.ts';
import type { Supervisor } from './workers/supervisor.ts';

/** The parts of the primary that the admin server shows and controls. */
interface ControlledParts {
  readonly exemplars: ExemplarStore;
  readonly lifecycle: Lifecycle;
  readonly supervisor: Supervisor;
  readonly clusters: ClusterMonitors;
  readonly drains: Drains;
  readonly reloader: Reloader;
  readonly liveConfig: LiveConfig;
  readonly ticketKeys: TicketKeys;
  readonly passwords: Passwords;
  readonly redis: Pick<RedisServices, 'counts' | 'state'>;
  readonly spans: Pick<SpanService, 'counts'>;
  readonly taps: TapService;
  readonly limitTables: LimitTables;
  readonly keySets: KeySets;
  readonly sessions: SessionService;
  readonly revocations: RevocationService;
  readonly events: EventStore;
}

/** Facts about the machine. */
interface MachineParts {
  readonly descriptorPlan: DescriptorPlan | null;
  readonly engines: Engines;
}

interface BuildOptions {
  readonly log: Logger;
  readonly output: Pick<LogOutputs, 'dropped' | 'states'>;
  readonly faultHooks: boolean;
  /** Called when another process asks this one to hand over and end. */
  readonly onHandOver?: (pid: number | null) => void;
}

/** Builds the admin server, which does not listen yet. */
export function buildAdmin(
  parts: ControlledParts,
  settings: BuildOptions,
  { descriptorPlan, engines }: MachineParts,
): AdminServer {
  const {
    exemplars,
    lifecycle,
    supervisor,
    clusters,
    drains,
    reloader,
    liveConfig,
    ticketKeys,
    limitTables,
  } = parts;
  const { log, output, faultHooks } = settings;
  const versions = readVersions();
  const stats = new AdminStats();
  const exposition = new Exposition([
    ...pageFamilies(supervisor.sums, exemplars),
    ...clusterFamilies(clusters),
    ...primaryFamilies({
      supervisor,
      reloader,
      drains: () => drains.progress,
      certificates: () => liveConfig.certificates,
      ticketKeys,
      limitTables,
      versions,
      droppedLines: () => output.dropped,
    }),
    ...passwordFamilies(parts.passwords),
    ...keySetFamilies(parts.keySets),
    ...operatorFamilies(parts.sessions, parts.revocations),
    ...redisFamilies(parts.redis),
    ...tracingFamilies(parts.spans),
    ...tapFamilies(parts.taps),
    ...stats.families,
  ]);
  const frames = new FrameWriter({
    supervisor,
    clusters,
    reloader,
    liveConfig,
    drains,
    engines,
    versions,
    state: () => lifecycle.state,
    notReady: () => notReady(parts),
    ownErrors: () => [
      { kind: 'log', reason: 'dropped', count: output.dropped.log },
      { kind: 'access log', reason: 'dropped', count: output.dropped.access },
      ...stats.refusals,
    ],
  });
  const view: AdminView = {
    metrics: (format) => {
      supervisor.releaseSeries();
      return exposition.begin(format, supervisor.config.metrics);
    },
    notLive: () => supervisor.unrecoverable,
    notReady: () => notReady(parts),
    status: () =>
      statusPage({
        supervisor,
        clusters,
        reloader,
        drains,
        engines,
        output,
        versions,
        taps: parts.taps,
        state: lifecycle.state,
      }),
    live: () => frames.write(),
    commands: [
      ...controlCommands(controlsOf(parts, settings)),
      ...clusterCommands(clusters),
      ...sessionCommands(parts.sessions),
      ...principalCommands(parts.revocations),
      ...eventCommands(parts.events),
      tapCommand(parts.taps, () => supervisor.config),
      ...(faultHooks ? faultCommands(supervisor.injectFault) : []),
    ],
    get token() {
      return supervisor.config.admin.token;
    },
    get hosts() {
      const { address, hosts } = supervisor.config.admin;
      return [address.host.toLowerCase(), ...hosts];
    },
  };
  return new AdminServer(view, stats, log, { descriptorPlan });
}

function controlsOf(
  { supervisor, drains, reloader, ticketKeys, revocations }: ControlledParts,
  { log, onHandOver }: BuildOptions,
): Controls {
  const restarts = new WorkerRestarts(supervisor, log);
  return {
    reload: (cause) => reloader.reload(cause),
    get drainSettings() {
      return supervisor.config.drain;
    },
    has: (scope) => drains.has(scope),
    drain: (scope, drainSettings) => {
      const { readyDelayMs } = supervisor.config.shutdown;
      return drains.begin(scope, drainSettings, scope.kind === 'all' ? readyDelayMs : 0);
    },
    undrain: (scope) => drains.cancel(scope),
    sendTicketKeys: (channel) => sendKeys(channel, formatTicketKeys(ticketKeys.handoverKeys())),
    // Let the answer go out first.
    handOver: (pid) => void setImmediate(() => onHandOver?.(pid)),
    get revocations() {
      return revocations.all.map(rowOf);
    },
    releaseRevocations: () => revocations.release(),
    restart: (worker) => restarts.request(worker),
  };
}

/** Returns why the process should get no traffic; null if it is ready. */
function notReady({ lifecycle, drains, supervisor }: ControlledParts): string | null {
  if (lifecycle.state !== 'ready') return lifecycle.state;
  return drains.ofAll ? 'draining' : supervisor.problem;
}
