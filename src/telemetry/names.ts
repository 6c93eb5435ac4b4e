/** Every metric that sluice serves: its name, what it means and its labels. No metric is defined elsewhere. */
import { counter, gauge, histogram, sparseCounter, type Metric } from './metric.ts';

/** From 100 us to 10 s. */
const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** From 100 ms to a week: sessions live long. */
const LIFETIME_BUCKETS = [
  0.1, 1, 5, 15, 60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/** Metrics that workers write into their stats pages and the primary sums. */
export const pageMetrics = {
  connectionsActive: gauge('sluice_connections_active', ['listener'], 'Downstream connections open now'),
  connections: counter('sluice_connections_total', ['listener'], 'Downstream connections accepted'),
  connectionsRejected: counter(
    'sluice_connections_rejected_total',
    ['listener', 'reason'],
    'Downstream connections closed before they were served',
  ),
  connectionsUnused: counter(
    'sluice_connections_unused_total',
    ['listener', 'reason'],
    'Layer 7 connections that ended without a request',
  ),
  acceptFailures: counter(
    'sluice_accept_failures_total',
    ['listener', 'reason'],
    'Failures to accept a connection at a layer 4 listener; where the process or the system is at a limit accepting pauses',
  ),
  sessionsActive: gauge(
    'sluice_ws_sessions_active',
    ['listener', 'route', 'cluster'],
    'WebSocket sessions open now',
  ),
  sessions: counter(
    'sluice_ws_sessions_total',
    ['listener', 'route', 'cluster'],
    'WebSocket sessions opened',
  ),
  handshakesPending: gauge(
    'sluice_ws_handshakes_pending',
    ['listener', 'cluster'],
    'Upgrade requests under way with endpoints now',
  ),
  handshakesQueued: gauge(
    'sluice_ws_handshakes_queued',
    ['listener', 'cluster'],
    'Upgrade requests that wait for maxPendingHandshakes now',
  ),
  handshakesTurnedAway: counter(
    'sluice_ws_handshakes_turned_away_total',
    ['listener', 'cluster', 'reason'],
    'Upgrade requests refused because of maxPendingHandshakes',
  ),
  handshakeDuration: histogram(
    'sluice_ws_handshake_duration_seconds',
    ['listener', 'cluster'],
    LATENCY_BUCKETS,
    "Time from the client's upgrade request to the 101 that answers it",
  ),
  handshakeFailures: counter(
    'sluice_ws_handshake_failures_total',
    ['listener', 'reason'],
    'Upgrade requests that did not become a session',
  ),
  sessionDuration: histogram(
    'sluice_ws_session_duration_seconds',
    ['listener', 'cluster'],
    LIFETIME_BUCKETS,
    'Time from the 101 to the end of the session',
  ),
  messages: counter(
    'sluice_ws_messages_total',
    ['cluster', 'direction'],
    'WebSocket messages relayed; downstream is towards the client',
  ),
  bytes: counter(
    'sluice_ws_bytes_total',
    ['cluster', 'direction'],
    'Payload bytes of relayed WebSocket messages',
  ),
  closes: sparseCounter(
    'sluice_ws_closes_total',
    ['cluster', 'side', 'code'],
    'Ended sessions by the close code and the side that closed',
  ),
  bufferedBytes: gauge(
    'sluice_ws_buffered_bytes',
    ['direction'],
    'Bytes that wait in sessions and requests for a slow client (downstream) or endpoint (upstream)',
  ),
  unfinishedBytes: gauge(
    'sluice_ws_unfinished_bytes',
    [],
    'Bytes of unfinished client messages, counted while they could exceed the buffer budget',
  ),
  boundActive: gauge(
    'sluice_http_bound_connections_active',
    [],
    'Idle connections to endpoints that are bound to one client connection each',
  ),
  boundCloses: counter(
    'sluice_http_bound_connections_closed_total',
    ['reason'],
    'Closed connections to endpoints that were, or had to be, bound to one client connection each',
  ),
  sessionsShed: counter(
    'sluice_ws_sessions_shed_total',
    ['reason'],
    'Sessions and requests ended because the buffer budget was full, by where most of their bytes waited',
  ),
  paused: counter('sluice_ws_paused_total', ['direction'], 'Times that a session paused its fast side'),
  bufferOverflows: counter(
    'sluice_ws_buffer_overflows_total',
    ['direction'],
    'Sessions closed because the bound of their buffer was exceeded',
  ),
  tunnelsActive: gauge('sluice_tunnels_active', ['listener', 'cluster'], 'Layer 4 tunnels open now'),
  tunnels: counter('sluice_tunnels_total', ['listener', 'cluster'], 'Layer 4 tunnels opened'),
  tunnelCloses: counter(
    'sluice_tunnels_closed_total',
    ['listener', 'cluster', 'reason'],
    'Layer 4 tunnels that ended, by reason',
  ),
  tunnelBytes: counter(
    'sluice_tunnel_bytes_total',
    ['listener', 'cluster', 'direction'],
    'Bytes carried through layer 4 tunnels',
  ),
  connectionsEnding: gauge(
    'sluice_connections_ending',
    [],
    'Sessions and tunnels still to be ended by reloads, restarts and the end of the process',
  ),
  httpRequestsActive: gauge(
    'sluice_http_requests_active',
    ['listener', 'route'],
    'HTTP requests in flight now, upgrades excluded',
  ),
  httpRequests: counter(
    'sluice_http_requests_total',
    ['listener', 'route', 'code'],
    'HTTP requests answered, by class of the status',
  ),
  httpCuts: counter(
    'sluice_http_responses_cut_total',
    ['listener', 'reason'],
    'HTTP responses that were cut before their end',
  ),
  httpRefusals: counter(
    'sluice_http_requests_refused_total',
    ['listener', 'reason'],
    'HTTP requests refused or cut because of their head or body',
  ),
  httpDuration: histogram(
    'sluice_http_request_duration_seconds',
    ['listener', 'route'],
    LATENCY_BUCKETS,
    'Time from an HTTP request to the end of its response',
  ),
  endpointConnectionsActive: gauge(
    'sluice_endpoint_connections_active',
    ['cluster', 'endpoint'],
    'Upstream connections open now, those being dialled included',
  ),
  endpointConnectDuration: histogram(
    'sluice_endpoint_connect_duration_seconds',
    ['cluster'],
    LATENCY_BUCKETS,
    'Time that a successful dial of an endpoint took',
  ),
  endpointConnectFailures: sparseCounter(
    'sluice_endpoint_connect_failures_total',
    ['cluster', 'endpoint', 'reason'],
    "Dials and upstream handshakes that failed; reasons that begin with own_ are the proxy's shortages",
  ),
  endpointConnects: counter(
    'sluice_endpoint_connects_total',
    ['cluster', 'endpoint'],
    'Dials at layer 4, and at layer 7 answers below 500, that the endpoint gave',
  ),
  endpointDials: counter(
    'sluice_endpoint_dials_total',
    ['cluster', 'endpoint'],
    'Dials of the endpoint that went well, TLS included',
  ),
  endpointServerErrors: counter(
    'sluice_endpoint_server_errors_total',
    ['cluster', 'endpoint'],
    'Answers of the endpoint with a status of 500 to 599',
  ),
  clusterConnectionsActive: gauge(
    'sluice_cluster_connections_active',
    ['cluster'],
    'Upstream connections of the cluster open now, those being dialled included',
  ),
  clusterRejections: counter(
    'sluice_cluster_rejections_total',
    ['cluster', 'reason'],
    'Connections that got no endpoint, or no other endpoint, because of a limit',
  ),
  clusterRetries: counter(
    'sluice_cluster_retries_total',
    ['cluster'],
    'Dials of another endpoint after one had failed',
  ),
} as const satisfies Record<string, Metric>;

/** Metrics of each worker's thread, in its page too, told apart by the label `worker`. */
export const threadMetrics = {
  eventLoopUtilization: gauge(
    'sluice_worker_event_loop_utilization',
    ['worker'],
    'Share of the last second in which the event loop was busy, 0 to 1',
  ),
  eventLoopLag: gauge(
    'sluice_worker_event_loop_lag_seconds',
    ['worker'],
    'How late a timer of the last second fired',
  ),
  generation: gauge(
    'sluice_worker_config_generation',
    ['worker'],
    'Number of the configuration that the worker runs',
  ),
  olderConnections: gauge(
    'sluice_worker_older_generation_connections',
    ['worker'],
    'Sessions and tunnels that live under a configuration that has been replaced since they began',
  ),
  oldestGeneration: gauge(
    'sluice_worker_oldest_generation',
    ['worker'],
    'Number of the oldest configuration of which something lives in the worker',
  ),
} as const satisfies Record<string, Metric>;

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

/** Values of the label `direction`. */
export const DIRECTIONS = ['downstream', 'upstream'] as const;
/** Values of the label `reason` of shed sessions. */
export const SHED_REASONS = [...DIRECTIONS, 'unfinished'] as const;
/** Values of the label `side` of closes: who ended the session. */
export const CLOSE_SIDES = ['client', 'endpoint', 'proxy'] as const;
/** Values of the label `reason` of rejected connections. */
export const REJECT_REASONS = [
  'limit',
  'no_endpoint',
  'overload',
  'dial_failed',
  'own_shortage',
  'descriptors',
] as const;
/**
 * Values of the label `reason` of ended tunnels: both sides ended their direction, one side reset, nothing crossed, a
 * drain, the end of the grace period, a cluster's rebalancing or lost endpoint, a fault of the proxy.
 */
export const TUNNEL_CLOSES = [
  'closed',
  'reset',
  'idle_timeout',
  'half_close_timeout',
  'drained',
  'aborted',
  'evicted',
  'fault',
] as const;
/** Values of the label `reason` of connections that ended without a request. */
export const UNUSED_REASONS = ['ended', 'silent'] as const;
/** Values of the label `reason` of failures to accept. */
export const ACCEPT_FAILURES = ['process_limit', 'system_limit', 'memory', 'aborted', 'other'] as const;
/** Values of the label `reason` of failed handshakes. */
export const HANDSHAKE_FAILURES = [
  'bad_request',
  'ambiguous_path',
  'dot_segment',
  'no_route',
  'not_websocket',
  'no_endpoint',
  'overload',
  'dial_failed',
  'own_shortage',
  'reset',
  'timeout',
  'bad_response',
  'refused',
  'client_gone',
  'draining',
] as const;
/**
 * Values of the label `reason` of handshakes turned away: the queue was full, a client with fewer waiting handshakes
 * took the place, or the handshake waited for longer than handshakeTimeout.
 */
export const GATE_REFUSALS = ['queue_full', 'displaced', 'timeout'] as const;
/** Values of the label `reason` of a cluster's rejections: which limit it was. */
export const CLUSTER_LIMITS = [
  'max_connections',
  'endpoint_max_connections',
  'retry_budget',
  'descriptors',
] as const;
/** Values of the label `reason` of failed dials; those that begin with `own_` are the proxy's own shortages. */
export const CONNECT_FAILURES = [
  'refused',
  'timeout',
  'reset',
  'unreachable',
  'tls',
  'handshake',
  'own_shortage',
  'own_ports',
  'other',
] as const;
/** Values of the label `reason` of closed connections to the admin address. */
export const ADMIN_CLOSES = ['full', 'address', 'slow_reader', 'pipelining'] as const;
/** Values of the label `reason` of refused requests to the admin address. */
export const ADMIN_REFUSALS = [
  'malformed',
  'too_large',
  'timeout',
  'host',
  'origin',
  'no_token',
  'bad_token',
] as const;
/** Values of the label `reason` of refused HTTP requests. */
export const REQUEST_REFUSALS = [
  'bad_method',
  'bad_header',
  'bad_host',
  'bad_framing',
  'bad_target',
  'condition',
  'ambiguous_path',
  'dot_segment',
  'body_too_slow',
  'body_idle',
  'body_too_large',
  'buffer_budget',
] as const;
/** Values of the label `reason` of HTTP responses that were cut. */
export const RESPONSE_CUTS = [
  'endpoint',
  'idle_timeout',
  'buffer_budget',
  'body_too_large',
  'client_stalled',
  'file',
  'shutdown',
] as const;
/** Values of the label `reason` of closed connections that were bound to a client's. */
export const BOUND_CLOSES = [
  'client_gone',
  'endpoint',
  'idle_timeout',
  'limit',
  'drained',
  'unidentified',
  'unauthenticated',
] as const;
/** Values of the label `code` of HTTP requests: the first digit of the status, `other` from 600 on. */
export const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'] as const;
/** Values of the label `code` of closes: the registered ones as they are, the rest by their range. */
export const CLOSE_CODES = [
  ...Array.from({ length: 16 }, (_, index) => String(1000 + index)),
  '3xxx',
  '4xxx',
  'other',
] as const;
