/** All metrics of the primary. */
import { counter, gauge, type Metric } from './metric.ts';

/** Metrics from the primary's own state. */
export const primaryMetrics = {
  workerUp: gauge('sluice_worker_up', ['worker'], '1 if the worker accepts connections, else 0'),
  workerRestarts: counter('sluice_worker_restarts_total', ['worker'], 'Times that the worker was restarted'),
  workerStuck: counter('sluice_worker_stuck_total', ['worker'], 'Times that the worker was stuck'),
  workersLeftBehind: gauge(
    'sluice_workers_left_behind',
    [],
    'Threads of stuck workers that have not ended yet',
  ),
  configLastReloadSuccess: gauge(
    'sluice_config_last_reload_success',
    [],
    '1 if the last reload succeeded or there was none, 0 if the old configuration stayed in use',
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
    'Sessions and tunnels that the drains in force have not ended yet',
  ),
  configGeneration: gauge('sluice_config_generation', [], 'Number of the configuration in use'),
  certificateNotAfter: gauge(
    'sluice_tls_certificate_not_after_timestamp_seconds',
    ['listener', 'certificate'],
    'Unix time at which the certificate expires',
  ),
  ticketKeyAge: gauge(
    'sluice_tls_ticket_key_age_seconds',
    ['listener'],
    'Time since the key that encrypts session tickets came into use',
  ),
  passwords: counter(
    'sluice_passwords_total',
    ['result'],
    'Passwords that were to be compared with their hashes',
  ),
  passwordsWaiting: gauge('sluice_passwords_waiting', [], 'Passwords that wait for the thread now'),
  passwordWait: counter(
    'sluice_password_wait_seconds_total',
    [],
    'Time that passwords have waited for the thread',
  ),
  limitKeys: gauge('sluice_limit_keys', ['listener', 'limit'], 'Keys that the limit counts apart now'),
  limitKeyCapacity: gauge(
    'sluice_limit_key_capacity',
    ['listener', 'limit'],
    'Max keys that the limit counts apart',
  ),
  endpointUp: gauge(
    'sluice_endpoint_up',
    ['cluster', 'endpoint'],
    '1 if the endpoint takes connections, 0 if it is down, ejected or draining',
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
    'Duration of the last probe',
  ),
  clusterEndpoints: gauge(
    'sluice_cluster_endpoints',
    ['cluster', 'state'],
    'Endpoints of the cluster by their state: only those that are up take connections',
  ),
  clusterPanic: gauge(
    'sluice_cluster_panic',
    ['cluster'],
    '1 if all endpoints are used because too few of them are up, else 0',
  ),
  nameLookups: counter('sluice_cluster_name_lookups_total', ['cluster'], 'Look-ups of names of endpoints'),
  nameLookupFailures: counter(
    'sluice_cluster_name_lookup_failures_total',
    ['cluster'],
    'Failed look-ups of names of endpoints; the last addresses stay in use',
  ),
  namesLeftOut: gauge(
    'sluice_cluster_name_addresses_unused',
    ['cluster'],
    'Addresses that are not used because their name has too many',
  ),
  evictions: counter(
    'sluice_cluster_evictions_total',
    ['cluster'],
    'Connections ended so that their clients go to another endpoint',
  ),
  keySetFetches: counter(
    'sluice_key_set_fetches_total',
    ['url', 'result'],
    'Fetches of key sets by their result; the last set stays in use when one fails',
  ),
  keySetAge: gauge(
    'sluice_key_set_age_seconds',
    ['url'],
    'Time since the key set was fetched last, changed or not',
  ),
  redisUp: gauge('sluice_redis_up', [], '1 if Redis answers, else 0'),
  redisErrors: counter('sluice_redis_errors_total', ['kind'], 'Failures of Redis by their kind'),
  redisRoundDuration: gauge(
    'sluice_redis_round_duration_seconds',
    [],
    'Duration of the last exchange of counts with Redis',
  ),
  sharedLimitsCounting: gauge(
    'sluice_shared_limits_counting',
    [],
    '1 if shared limits are counted over all machines, 0 if in this process alone',
  ),
  bufferBudget: gauge(
    'sluice_buffer_budget_bytes',
    [],
    'Max bytes that may wait in sessions and requests, see sluice_ws_buffered_bytes',
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
  adminLiveReaders: gauge('sluice_admin_live_readers', [], 'Clients that read /live now'),
  adminLiveSkipped: counter(
    'sluice_admin_live_frames_skipped_total',
    [],
    'Frames of /live that slow clients have missed',
  ),
  tapsActive: gauge('sluice_taps_active', [], 'Taps that run now'),
  taps: counter('sluice_taps_total', ['result'], 'Taps asked for, by what became of them'),
  tapBytes: counter('sluice_tap_bytes_total', [], 'Bytes of lines passed on to the readers of taps'),
  tapLinesDropped: counter(
    'sluice_tap_lines_dropped_total',
    [],
    'Lines of taps dropped because their reader was too slow',
  ),
  revocations: gauge('sluice_revocations', [], 'Principals that are revoked now'),
  revocationWriteFailures: counter(
    'sluice_revocation_write_failures_total',
    [],
    'Failed writes of the file of revocations; each is tried again',
  ),
  sessionsClosedByOperator: counter(
    'sluice_sessions_closed_by_operator_total',
    ['command'],
    'Sessions closed by a command: kick or revoke',
  ),
  spansExported: counter('sluice_trace_spans_exported_total', [], 'Spans that the collector has taken'),
  spansDropped: counter(
    'sluice_trace_spans_dropped_total',
    ['reason'],
    'Spans lost: a worker or the queue had too many, or an export failed',
  ),
  logLinesDropped: counter(
    'sluice_log_lines_dropped_total',
    ['log'],
    'Log lines lost because they could not be written, or were not read fast enough: log or access',
  ),
  buildInfo: gauge(
    'sluice_build_info',
    ['version', 'node', 'uws', 'engine'],
    'Always 1; the labels have the versions and the engines of all listeners, such as raw,uws',
  ),
} as const satisfies Record<string, Metric>;
