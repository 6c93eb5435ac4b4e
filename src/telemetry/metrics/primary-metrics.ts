/** All metrics of the primary. */
import { counter, gauge, type Metric } from './metric.ts';

/** Metrics from the primary's own state. */
export const primaryMetrics = {
  workerUp: gauge('sluice_worker_up', ['worker'], '1 if the worker accepts connections, 0 otherwise'),
  workerRestarts: counter('sluice_worker_restarts_total', ['worker'], 'Restarts of the worker'),
  workerStuck: counter('sluice_worker_stuck_total', ['worker'], 'Times the worker was stuck'),
  workersLeftBehind: gauge('sluice_workers_left_behind', [], 'Threads of stuck workers still running'),
  configLastReloadSuccess: gauge(
    'sluice_config_last_reload_success',
    [],
    '1 if the last reload succeeded or there was none, 0 if it failed',
  ),
  configLastReloadSuccessTime: gauge(
    'sluice_config_last_reload_success_timestamp_seconds',
    [],
    'Unix time at which the current configuration was loaded',
  ),
  configReloads: counter('sluice_config_reloads_total', ['result'], 'Reloads by result'),
  drainsActive: gauge('sluice_drains_active', [], 'Drains in effect, finished or not'),
  drainRemaining: gauge(
    'sluice_drain_remaining_connections',
    [],
    'Sessions and tunnels still to be ended by drains in effect',
  ),
  configGeneration: gauge('sluice_config_generation', [], 'Generation of the current configuration'),
  certificateNotAfter: gauge(
    'sluice_tls_certificate_not_after_timestamp_seconds',
    ['listener', 'certificate'],
    'Unix time at which the certificate expires',
  ),
  ticketKeyAge: gauge(
    'sluice_tls_ticket_key_age_seconds',
    ['listener'],
    'Age of the key that encrypts session tickets',
  ),
  passwords: counter('sluice_passwords_total', ['result'], 'Password checks by result'),
  passwordsWaiting: gauge('sluice_passwords_waiting', [], 'Passwords waiting for verification now'),
  passwordWait: counter(
    'sluice_password_wait_seconds_total',
    [],
    'Time spent by passwords waiting for verification',
  ),
  limitKeys: gauge('sluice_limit_keys', ['listener', 'limit'], 'Keys counted separately by the limit now'),
  limitKeyCapacity: gauge(
    'sluice_limit_key_capacity',
    ['listener', 'limit'],
    'Max keys counted separately by the limit',
  ),
  endpointUp: gauge(
    'sluice_endpoint_up',
    ['cluster', 'endpoint'],
    '1 if the endpoint takes connections, 0 if it is down, ejected or draining',
  ),
  endpointEjections: counter(
    'sluice_endpoint_ejections_total',
    ['cluster', 'endpoint'],
    'Ejections of the endpoint after consecutive failures',
  ),
  endpointProbes: counter('sluice_endpoint_probes_total', ['cluster', 'endpoint'], 'Probes of the endpoint'),
  endpointProbeFailures: counter(
    'sluice_endpoint_probe_failures_total',
    ['cluster', 'endpoint'],
    'Failed probes of the endpoint',
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
    'Endpoints of the cluster by state; only those in state up take connections',
  ),
  clusterPanic: gauge(
    'sluice_cluster_panic',
    ['cluster'],
    '1 if all endpoints are used because too few are up, 0 otherwise',
  ),
  nameLookups: counter('sluice_cluster_name_lookups_total', ['cluster'], 'Lookups of endpoint names'),
  nameLookupFailures: counter(
    'sluice_cluster_name_lookup_failures_total',
    ['cluster'],
    'Failed lookups of endpoint names; the last addresses stay in use',
  ),
  nameAddressesUnused: gauge(
    'sluice_cluster_name_addresses_unused',
    ['cluster'],
    'Addresses ignored because their name has too many',
  ),
  evictions: counter(
    'sluice_cluster_evictions_total',
    ['cluster'],
    'Connections closed so that their clients reconnect to another endpoint',
  ),
  keySetFetches: counter(
    'sluice_key_set_fetches_total',
    ['url', 'result'],
    'Fetches of key sets by result; after a failure the last set stays in use',
  ),
  keySetAge: gauge(
    'sluice_key_set_age_seconds',
    ['url'],
    "Time since the key set's last fetch, changed or not",
  ),
  redisUp: gauge('sluice_redis_up', [], '1 if Redis answers, 0 otherwise'),
  redisErrors: counter('sluice_redis_errors_total', ['kind'], 'Failures of Redis by kind'),
  redisRoundDuration: gauge(
    'sluice_redis_round_duration_seconds',
    [],
    'Duration of the last exchange of counts with Redis',
  ),
  sharedLimitsCounting: gauge(
    'sluice_shared_limits_counting',
    [],
    '1 if shared limits count all machines, 0 if they count only this process',
  ),
  bufferBudget: gauge(
    'sluice_buffer_budget_bytes',
    [],
    'Max bytes waiting in sessions and requests, see sluice_ws_buffered_bytes',
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
    'Refused requests to the admin address',
  ),
  adminLiveReaders: gauge('sluice_admin_live_readers', [], 'Clients reading /live now'),
  adminLiveSkipped: counter(
    'sluice_admin_live_frames_skipped_total',
    [],
    'Frames of /live skipped for slow clients',
  ),
  tapsActive: gauge('sluice_taps_active', [], 'Taps running now'),
  taps: counter('sluice_taps_total', ['result'], 'Requested taps by result'),
  tapBytes: counter('sluice_tap_bytes_total', [], 'Bytes of lines sent to the readers of taps'),
  tapLinesDropped: counter(
    'sluice_tap_lines_dropped_total',
    [],
    'Lines of taps dropped because their reader was too slow',
  ),
  revocations: gauge('sluice_revocations', [], 'Principals revoked now'),
  revocationWriteFailures: counter(
    'sluice_revocation_write_failures_total',
    [],
    'Failed writes of the revocation file; each is retried',
  ),
  sessionsClosedByOperator: counter(
    'sluice_sessions_closed_by_operator_total',
    ['command'],
    'Sessions closed by a command: kick or revoke',
  ),
  spansExported: counter('sluice_trace_spans_exported_total', [], 'Spans accepted by the collector'),
  spansDropped: counter(
    'sluice_trace_spans_dropped_total',
    ['reason'],
    'Spans lost: a worker or the queue had too many, or an export failed',
  ),
  logLinesDropped: counter(
    'sluice_log_lines_dropped_total',
    ['log'],
    'Lines of a log (log or access) lost because writing failed or the reader was too slow',
  ),
  buildInfo: gauge(
    'sluice_build_info',
    ['version', 'node', 'uws', 'engine'],
    'Always 1; labels name the versions and the engines of all listeners, such as raw,uws',
  ),
} as const satisfies Record<string, Metric>;
