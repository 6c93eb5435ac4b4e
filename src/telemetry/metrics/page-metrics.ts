/** All metrics of the workers, which write them into their stats pages. */
import { counter, gauge, histogram, sparseCounter, type Metric } from './metric.ts';

/** In seconds, from 100 us to 10 s. */
const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** In seconds, from 100 ms to a week: sessions can be long. */
const LIFETIME_BUCKETS = [
  0.1, 1, 5, 15, 60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/** Metrics that workers write into their stats pages and the primary sums up. */
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
  limitRefusals: counter(
    'sluice_limit_refusals_total',
    ['listener', 'limit', 'kind'],
    'Clients refused, sessions closed and sessions slowed by a limit',
  ),
  limitOverflows: counter(
    'sluice_limit_overflows_total',
    ['listener', 'limit'],
    'Requests whose key shared a count with others because the table was full',
  ),
  accessRefusals: sparseCounter(
    'sluice_access_refusals_total',
    ['listener', 'reason'],
    'Requests refused by access settings',
  ),
  acceptFailures: counter(
    'sluice_accept_failures_total',
    ['listener', 'reason'],
    'Failed accepts; accepting pauses for every reason but aborted',
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
    'Upgrade requests in progress with endpoints now',
  ),
  handshakesQueued: gauge(
    'sluice_ws_handshakes_queued',
    ['listener', 'cluster'],
    'Upgrade requests queued now because of maxPendingHandshakes',
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
    "Time from the client's upgrade request to its 101 response",
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
    'Time from the 101 response to the end of the session',
  ),
  messages: counter(
    'sluice_ws_messages_total',
    ['cluster', 'direction'],
    'WebSocket messages relayed; downstream is toward the client',
  ),
  bytes: counter(
    'sluice_ws_bytes_total',
    ['cluster', 'direction'],
    'Payload bytes of relayed WebSocket messages',
  ),
  closes: sparseCounter(
    'sluice_ws_closes_total',
    ['cluster', 'side', 'code'],
    'Ended sessions by close code and closing side',
  ),
  bufferedBytes: gauge(
    'sluice_ws_buffered_bytes',
    ['direction'],
    'Bytes waiting in sessions and requests for a slow client (downstream) or endpoint (upstream)',
  ),
  unfinishedBytes: gauge(
    'sluice_ws_unfinished_bytes',
    [],
    'Bytes of unfinished client messages, counted while they can exceed the buffer budget',
  ),
  boundActive: gauge(
    'sluice_http_bound_connections_active',
    [],
    'Idle endpoint connections reserved for one client connection each',
  ),
  boundCloses: counter(
    'sluice_http_bound_connections_closed_total',
    ['reason'],
    'Closed endpoint connections reserved for one client connection each',
  ),
  sessionsShed: counter(
    'sluice_ws_sessions_shed_total',
    ['reason'],
    'Sessions and requests ended because the buffer budget was full, by where they held most bytes',
  ),
  paused: counter('sluice_ws_paused_total', ['direction'], 'Times a session paused its fast side'),
  bufferOverflows: counter(
    'sluice_ws_buffer_overflows_total',
    ['direction'],
    'Sessions closed because their buffer exceeded its limit',
  ),
  tapFrames: counter('sluice_tap_frames_total', [], 'Frames and reads shown by taps, once for each tap'),
  tapFramesLost: counter(
    'sluice_tap_frames_lost_total',
    ['reason'],
    'Frames and reads lost by taps to stay within their limits',
  ),
  eventsSuppressed: counter(
    'sluice_events_suppressed_total',
    [],
    'Failures and refusals whose events were suppressed by the rate limit',
  ),
  tunnelsActive: gauge('sluice_tunnels_active', ['listener', 'cluster'], 'Tunnels open now'),
  tunnels: counter('sluice_tunnels_total', ['listener', 'cluster'], 'Tunnels opened'),
  tunnelCloses: counter(
    'sluice_tunnels_closed_total',
    ['listener', 'cluster', 'reason'],
    'Ended tunnels by reason',
  ),
  tunnelBytes: counter(
    'sluice_tunnel_bytes_total',
    ['listener', 'cluster', 'direction'],
    'Bytes carried through tunnels',
  ),
  connectionsEnding: gauge(
    'sluice_connections_ending',
    [],
    'Sessions and tunnels still to be ended by reloads, restarts and the shutdown',
  ),
  httpRequestsActive: gauge(
    'sluice_http_requests_active',
    ['listener', 'route'],
    'HTTP requests in flight now, except upgrades',
  ),
  httpRequests: counter(
    'sluice_http_requests_total',
    ['listener', 'route', 'code'],
    'HTTP requests answered, by status class',
  ),
  httpCuts: counter(
    'sluice_http_responses_cut_total',
    ['listener', 'reason'],
    'HTTP responses cut before their end',
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
    'Upstream connections open or being dialled now',
  ),
  endpointConnectDuration: histogram(
    'sluice_endpoint_connect_duration_seconds',
    ['cluster'],
    LATENCY_BUCKETS,
    'Duration of successful dials',
  ),
  endpointConnectFailures: sparseCounter(
    'sluice_endpoint_connect_failures_total',
    ['cluster', 'endpoint', 'reason'],
    'Failed dials and upstream handshakes; the prefix own_ marks shortages of the proxy itself',
  ),
  endpointConnects: counter(
    'sluice_endpoint_connects_total',
    ['cluster', 'endpoint'],
    'Successful dials at layer 4, and responses with a status below 500 at layer 7',
  ),
  endpointAnswerSeconds: counter(
    'sluice_endpoint_answer_seconds_total',
    ['cluster', 'endpoint'],
    'Sum of response times, to the head at layer 7 and of the dial at layer 4; sluice_endpoint_connects_total + sluice_endpoint_server_errors_total counts them',
  ),
  endpointDials: counter(
    'sluice_endpoint_dials_total',
    ['cluster', 'endpoint'],
    'Successful dials, including TLS',
  ),
  endpointServerErrors: counter(
    'sluice_endpoint_server_errors_total',
    ['cluster', 'endpoint'],
    'Responses with a status of 500 to 599',
  ),
  clusterConnectionsActive: gauge(
    'sluice_cluster_connections_active',
    ['cluster'],
    'Upstream connections of the cluster open or being dialled now',
  ),
  clusterRejections: counter(
    'sluice_cluster_rejections_total',
    ['cluster', 'reason'],
    'Connections denied an endpoint or a retry by a limit',
  ),
  clusterRetries: counter(
    'sluice_cluster_retries_total',
    ['cluster'],
    'Dials of another endpoint after a failed one',
  ),
} as const satisfies Record<string, Metric>;

/** Metrics of each worker's thread, also in its page, distinguished by the label `worker`. */
export const threadMetrics = {
  eventLoopUtilization: gauge(
    'sluice_worker_event_loop_utilization',
    ['worker'],
    'Fraction of the last second in which the event loop was busy, 0 to 1',
  ),
  eventLoopLag: gauge(
    'sluice_worker_event_loop_lag_seconds',
    ['worker'],
    'Delay of a timer in the last second',
  ),
  generation: gauge(
    'sluice_worker_config_generation',
    ['worker'],
    "Generation of the worker's configuration",
  ),
  olderConnections: gauge(
    'sluice_worker_older_generation_connections',
    ['worker'],
    'Sessions and tunnels under a replaced configuration',
  ),
  oldestGeneration: gauge(
    'sluice_worker_oldest_generation',
    ['worker'],
    'Oldest generation with an open connection or request in the worker',
  ),
} as const satisfies Record<string, Metric>;
