/** Label values shared by metrics and the code that counts. */

/** Values of the label `direction`. */
export const DIRECTIONS = ['downstream', 'upstream'] as const;
/** Values of the label `reason` of shed sessions. */
export const SHED_REASONS = [...DIRECTIONS, 'unfinished'] as const;
/** Reasons for lost spans: too many in a worker, too many in the queue, or an export that failed. */
export const TRACE_DROPS = ['worker', 'queue', 'export'] as const;
/**
 * Values of the label `result` of taps: started, or the reason of the refusal. `off` and `payload`:
 * `admin.tap` does not allow it. `full`: too many taps are running. `token`: a missing or wrong token.
 * `parameters`: malformed parameters.
 */
export const TAP_RESULTS = ['started', 'off', 'payload', 'full', 'token', 'parameters'] as const;
/** Reasons for frames that a tap skips: no CPU time left in the tick, or no room for their lines. */
export const TAP_LOSSES = ['cpu', 'lines'] as const;
export type TapLoss = (typeof TAP_LOSSES)[number];
/** Values of the label `side` of closes: the side that ended the session. */
export const CLOSE_SIDES = ['client', 'endpoint', 'proxy'] as const;
/**
 * Reasons to close a connection before it is served, by stage: the PROXY header, the ClientHello, its server
 * name, the TLS handshake, the client's certificate.
 */
export const ENTRY_FAILURES = [
  'proxy_untrusted',
  'proxy_timeout',
  'proxy_malformed',
  'proxy_ended',
  'hello_timeout',
  'hello_malformed',
  'hello_ended',
  'server_name',
  'tls_timeout',
  'tls_failed',
  'tls_ended',
  'client_certificate',
] as const;
/** Values of the label `reason` of rejected connections. */
export const REJECT_REASONS = [
  'limit',
  'no_endpoint',
  'overload',
  'dial_failed',
  'own_shortage',
  'descriptors',
  'draining',
  'access',
  'rate',
  ...ENTRY_FAILURES,
] as const;
/**
 * Values of the label `reason` of ended tunnels.
 *
 * - `closed`: both directions ended.
 * - `reset`: one side sent a reset.
 * - `idle_timeout`, `half_close_timeout`: no byte crossed in that time.
 * - `tls_refused`: the endpoint did not admit the TLS of a PostgreSQL client.
 * - `drained`: closed with FIN by a drain, reload or shutdown.
 * - `aborted`: the grace period ended.
 * - `evicted`: a rebalancing, or the endpoint was lost.
 * - `fault`: an error of the proxy.
 */
export const TUNNEL_CLOSES = [
  'closed',
  'reset',
  'idle_timeout',
  'half_close_timeout',
  'tls_refused',
  'drained',
  'aborted',
  'evicted',
  'fault',
] as const;
/** Values of the label `reason` of connections that ended without a request. */
export const UNUSED_REASONS = ['ended', 'silent', 'malformed', 'timeout'] as const;
/** Values of the label `reason` of failed accepts. */
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
  'access',
  'limit',
] as const;
/**
 * Values of the label `reason` of handshakes turned away.
 *
 * - `queue_full`: the queue was full.
 * - `displaced`: a client with fewer waiting handshakes took the place.
 * - `timeout`: the wait exceeded handshakeTimeout.
 */
export const GATE_REFUSALS = ['queue_full', 'displaced', 'timeout'] as const;
/** Values of the label `reason` of a cluster's rejections: the limit reached. */
export const CLUSTER_LIMITS = [
  'max_connections',
  'endpoint_max_connections',
  'retry_budget',
  'descriptors',
] as const;
/** Values of the label `reason` of failed dials. The prefix `own_` marks shortages of the proxy itself. */
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
/**
 * Values of the label `state` of endpoints. Probes decide about `down`, outlier detection about `ejected`, an
 * operator about `draining`.
 */
export const ENDPOINT_STATES = ['up', 'down', 'ejected', 'draining'] as const;
/** Values of the label `reason` of closed connections to the admin address. */
export const ADMIN_CLOSES = ['full', 'address', 'slow_reader', 'page_memory', 'pipelining'] as const;
/** Values of the label `reason` of refused requests to the admin address. */
export const ADMIN_REFUSALS = [
  'malformed',
  'too_large',
  'timeout',
  'host',
  'origin',
  'no_token',
  'bad_token',
  'live_full',
] as const;
/** Values of the label `reason` of refused HTTP requests. */
export const REQUEST_REFUSALS = [
  'bad_method',
  'bad_header',
  'bad_host',
  'bad_framing',
  'bad_target',
  'bad_version',
  'bad_line_end',
  'target_too_long',
  'head_too_large',
  'too_many_headers',
  'head_timeout',
  'expectation',
  'condition',
  'ambiguous_path',
  'dot_segment',
  'body_too_slow',
  'body_timeout',
  'body_idle',
  'body_too_large',
  'buffer_budget',
  'access',
  'limit',
] as const;
/**
 * Values of the label `reason` of refused clients.
 *
 * - `no_credential`, `bad_password`: a missing credential, a wrong password.
 * - `password_queue`: too many passwords are waiting.
 * - `token_…`: the fault of a token.
 * - `keys_unavailable`: the key set is missing.
 * - `revoked`: the principal is revoked.
 * - `forward_auth`, `forward_auth_failed`: a refusal by forward authentication, or its failure.
 */
export const ACCESS_REFUSALS = [
  'address',
  'origin',
  'no_credential',
  'bad_password',
  'password_queue',
  'token_malformed',
  'token_algorithm',
  'token_key',
  'token_signature',
  'token_expired',
  'token_early',
  'token_issuer',
  'token_audience',
  'token_claim',
  'keys_unavailable',
  'revoked',
  'forward_auth',
  'forward_auth_failed',
] as const;
/**
 * Values of the label `result` of password checks: a match, a mismatch, a full queue, or a failure of the
 * thread.
 */
export const PASSWORD_RESULTS = ['match', 'mismatch', 'refused', 'failed'] as const;
/**
 * Values of the label `kind` of refusals by a limit: the exceeded quantity. `unavailable`: the count of a
 * shared limit is unknown.
 */
export const LIMIT_KINDS = [
  'connections',
  'handshakes',
  'requests',
  'messages',
  'bytes',
  'unavailable',
] as const;
/** Values of the label `reason` of cut HTTP responses. */
export const RESPONSE_CUTS = [
  'endpoint',
  'idle_timeout',
  'buffer_budget',
  'body_too_large',
  'client_stalled',
  'file',
  'shutdown',
] as const;
/** Values of the label `reason` of closed connections that were bound to a client's connection. */
export const BOUND_CLOSES = [
  'client_gone',
  'endpoint',
  'idle_timeout',
  'limit',
  'drained',
  'unidentified',
  'unauthenticated',
] as const;
/** Values of the label `code` of HTTP requests: the first digit of the status, and `other` from 600 on. */
export const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'] as const;
/** Values of the label `code` of closes: registered codes, and ranges for the rest. */
export const CLOSE_CODES = [
  ...Array.from({ length: 16 }, (_, index) => String(1000 + index)),
  '3xxx',
  '4xxx',
  'other',
] as const;
