import type { Listener } from '../config/types.ts';
import { primaryMetrics } from '../telemetry/names.ts';
import type { Metric } from '../telemetry/names.ts';
import type { Family } from '../telemetry/prometheus.ts';
import type { CertificateExpiry } from './certificate-expiry.ts';
import { engineInUse } from './engines.ts';
import type { Versions } from './versions.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** What the primary's own metrics are read from. */
interface PrimaryFacts {
  readonly slots: readonly WorkerSlot[];
  readonly generation: number;
  readonly certificates: readonly CertificateExpiry[];
  readonly versions: Versions;
  readonly droppedLines: () => number;
  readonly listeners: readonly Listener[];
}

/** The families of the metrics that no worker writes. */
export function primaryFamilies(facts: PrimaryFacts): Family[] {
  const { slots, generation, certificates, versions, droppedLines, listeners } = facts;
  const { sluice, node, uws } = versions;
  return [
    {
      metric: primaryMetrics.workerUp,
      read: () =>
        slots.map(({ name, state }) => ({ labels: { worker: name }, value: state === 'up' ? 1 : 0 })),
    },
    {
      metric: primaryMetrics.workerRestarts,
      read: () => slots.map(({ name, restarts }) => ({ labels: { worker: name }, value: restarts })),
    },
    single(primaryMetrics.configGeneration, () => generation),
    {
      metric: primaryMetrics.certificateNotAfter,
      read: () =>
        certificates.map(({ listener, certificate, notAfter }) => ({
          labels: { listener, certificate },
          value: notAfter,
        })),
    },
    single(primaryMetrics.logLinesDropped, droppedLines),
    {
      metric: primaryMetrics.buildInfo,
      read: () => [{ labels: { version: sluice, node, uws, engine: engineInUse(listeners) }, value: 1 }],
    },
  ];
}

function single(metric: Metric, value: () => number): Family {
  return { metric, read: () => [{ labels: {}, value: value() }] };
}
