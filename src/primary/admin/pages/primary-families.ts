import type { DrainStatus } from '../../../protocol/admin/status.ts';
import type { Family } from '../../../telemetry/exposition/family.ts';
import type { Metric } from '../../../telemetry/metrics/metric.ts';
import type { LogOutputs } from '../../../telemetry/output/log-outputs.ts';
import { primaryMetrics } from '../../../telemetry/metrics/primary-metrics.ts';
import type { Reloader } from '../../control/reloader.ts';
import type { CertificateExpiry } from '../../process/certificate-expiry.ts';
import { enginesInUse } from '../../process/engines.ts';
import type { Versions } from '../../process/versions.ts';
import type { LimitTableEntry, LimitTables } from '../../limits/limit-tables.ts';
import type { TicketKeys } from '../../tickets/ticket-keys.ts';
import type { Supervisor } from '../../workers/supervisor.ts';

/** The parts of the primary that provide its metrics at each scrape. */
interface PrimaryFacts {
  readonly supervisor: Pick<Supervisor, 'slots' | 'leftBehind' | 'generation' | 'config'>;
  readonly reloader: Pick<Reloader, 'counts' | 'lastSucceeded' | 'lastSuccessAt'>;
  readonly drains: () => readonly DrainStatus[];
  readonly certificates: () => readonly CertificateExpiry[];
  readonly ticketKeys: Pick<TicketKeys, 'ages'>;
  readonly limitTables: Pick<LimitTables, 'entries'>;
  readonly versions: Versions;
  readonly droppedLines: () => LogOutputs['dropped'];
}

/** Returns the metrics that no worker writes. */
export function primaryFamilies(facts: PrimaryFacts): Family[] {
  const { supervisor, reloader, drains, certificates, ticketKeys, limitTables, versions, droppedLines } =
    facts;
  const { sluice, node, uws } = versions;
  return [
    {
      metric: primaryMetrics.workerUp,
      read: () =>
        supervisor.slots.map(({ name, state }) => ({
          labels: { worker: name },
          value: state === 'up' ? 1 : 0,
        })),
    },
    {
      metric: primaryMetrics.workerRestarts,
      read: () =>
        supervisor.slots.map(({ name, restarts }) => ({ labels: { worker: name }, value: restarts })),
    },
    {
      metric: primaryMetrics.workerStuck,
      read: () =>
        supervisor.slots.map(({ name }) => ({
          labels: { worker: name },
          value: supervisor.leftBehind.total(name),
        })),
    },
    single(primaryMetrics.workersLeftBehind, () => supervisor.leftBehind.count),
    single(primaryMetrics.configGeneration, () => supervisor.generation),
    single(primaryMetrics.configLastReloadSuccess, () => (reloader.lastSucceeded ? 1 : 0)),
    single(primaryMetrics.configLastReloadSuccessTime, () => reloader.lastSuccessAt / 1000),
    {
      metric: primaryMetrics.configReloads,
      read: () => Object.entries(reloader.counts).map(([result, value]) => ({ labels: { result }, value })),
    },
    single(primaryMetrics.drainsActive, () => drains().length),
    single(primaryMetrics.drainRemaining, () => drains().reduce((sum, { remaining }) => sum + remaining, 0)),
    {
      metric: primaryMetrics.certificateNotAfter,
      read: () =>
        certificates().map(({ listener, certificate, notAfter }) => ({
          labels: { listener, certificate },
          value: notAfter,
        })),
    },
    {
      metric: primaryMetrics.ticketKeyAge,
      read: () =>
        ticketKeys.ages().map(({ listener, seconds }) => ({ labels: { listener }, value: seconds })),
    },
    {
      metric: primaryMetrics.limitKeys,
      read: () =>
        limitTables.entries.map((entry) => ({ labels: limitLabels(entry), value: entry.sweep.layout.keys })),
    },
    {
      metric: primaryMetrics.limitKeyCapacity,
      read: () =>
        limitTables.entries.map((entry) => ({ labels: limitLabels(entry), value: entry.sweep.layout.slots })),
    },
    single(primaryMetrics.bufferBudget, () => supervisor.config.workers.bufferBudget),
    {
      metric: primaryMetrics.logLinesDropped,
      read: () => Object.entries(droppedLines()).map(([log, value]) => ({ labels: { log }, value })),
    },
    {
      metric: primaryMetrics.buildInfo,
      read: () => [
        {
          labels: { version: sluice, node, uws, engine: enginesInUse(supervisor.config.listeners) },
          value: 1,
        },
      ],
    },
  ];
}

function limitLabels({ listener, settings }: LimitTableEntry): {
  readonly listener: string;
  readonly limit: string;
} {
  return { listener, limit: settings.name };
}

function single(metric: Metric, value: () => number): Family {
  return { metric, read: () => [{ labels: {}, value: value() }] };
}
