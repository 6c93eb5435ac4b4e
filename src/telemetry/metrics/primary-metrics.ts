/** Metrics that the primary writes. No metric of the primary is defined elsewhere. */
import { counter, gauge, type Metric } from './metric.ts';

/** Metrics that the primary knows by itself. */
export const primaryMetrics = {
  workerUp: gauge('sluice_worker_up', ['worker'], '1 where the worker accepts connections, else 0'),
  workerRestarts: counter(
    'sluice_worker_restarts_total',
    ['worker'],
    'Times that the worker was started anew',
  ),
  workerStuck: counter('sluice_worker_stuck_total', ['worker'], 'Times that the worker was stuck'),
  workersLeftBehind: gauge(
    'sluice_workers_left_behind',
    [],
    'Threads of stuck workers that have not ended yet',
  ),
  configLastReloadSuccess: gauge(
    'sluice_config_last_reload_success',
    [],
    '1 where the last reload brought its configuration into use, or there was none; 0 where the old one stayed',
  ),
  configLastReloadSuccessTime: gauge(
    'sluice_config_last_reload_success_timestamp_seconds',
    [],
    'Unix time at which the configuration in use was loaded',
  ),
  configReloads: counter('sluice_config_reloads_total', ['result'], 'Reloads by their result'),
  drainsActive: gauge('sluice_drains_active', [], 'Drains in force, finished or not'),
  drainRemaining: gauge(
    'sluice_drain_remaining_connections',
    [],
    'Sessions and tunnels that the drains in force have still to end',
  ),
  configGeneration: gauge('sluice_config_generation', [], 'Number of the configuration in use'),
  certificateNotAfter: gauge(
    'sluice_tls_certificate_not_after_timestamp_seconds',
    ['listener', 'certificate'],
    'Unix time at which the certificate expires',
  ),
  endpointUp: gauge(
    'sluice_endpoint_up',
    ['cluster', 'endpoint'],
    '1 where the endpoint takes connections, 0 where it is down, ejected or draining',
  ),
  endpointEjections: counter(
    'sluice_endpoint_ejections_total',
    ['cluster', 'endpoint'],
    'Times that the endpoint was ejected because it failed in a row',
  ),
  endpointProbes: counter('sluice_endpoint_probes_total', ['cluster', 'endpoint'], 'Probes of the endpoint'),
  endpointProbeFailures: counter(
    'sluice_endpoint_probe_failures_total',
    ['cluster', 'endpoint'],
    'Probes of the endpoint that failed',
  ),
  endpointProbesUnmade: counter(
    'sluice_endpoint_probes_unmade_total',
    ['cluster', 'endpoint'],
    "Probes prevented by the proxy's own shortages",
  ),
  endpointProbeDuration: gauge(
    'sluice_endpoint_probe_duration_seconds',
    ['cluster', 'endpoint'],
    'How long the last probe took',
  ),
  clusterPanic: gauge(
    'sluice_cluster_panic',
    ['cluster'],
    '1 where so many endpoints are down that all of them are used, else 0',
  ),
  nameLookups: counter('sluice_cluster_name_lookups_total', ['cluster'], 'Look-ups of names of endpoints'),
  nameLookupFailures: counter(
    'sluice_cluster_name_lookup_failures_total',
    ['cluster'],
    'Look-ups of names of endpoints that failed; what was found before stays in use',
  ),
  namesLeftOut: gauge(
    'sluice_cluster_name_addresses_unused',
    ['cluster'],
    'Addresses of names that are not used because a name has too many',
  ),
  evictions: counter(
    'sluice_cluster_evictions_total',
    ['cluster'],
    'Connections that were told to end so that their clients go to another endpoint',
  ),
  adminConnections: gauge('sluice_admin_connections_active', [], 'Connections to the admin address open now'),
  adminCloses: counter(
    'sluice_admin_connections_closed_total',
    ['reason'],
    'Connections to the admin address closed to protect others',
  ),
  adminRefusals: counter(
    'sluice_admin_requests_refused_total',
    ['reason'],
    'Requests to the admin address refused',
  ),
  logLinesDropped: counter(
    'sluice_log_lines_dropped_total',
    [],
    'Log lines lost because the output was not read fast enough',
  ),
  buildInfo: gauge(
    'sluice_build_info',
    ['version', 'node', 'uws', 'engine'],
    'Always 1; the versions are in the labels, and what carries the tunnels: raw, net, mixed or none',
  ),
} as const satisfies Record<string, Metric>;
