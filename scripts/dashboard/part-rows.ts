/** Rows for the parts of sluice and their failures. */
import type { RowPlan } from './panel.ts';
import { CLUSTER, LISTENER, OF, one, rate } from './queries.ts';

export const PART_ROWS: readonly RowPlan[] = [
  {
    title: 'Clusters and endpoints',
    panels: [
      one(
        'Endpoints by state',
        `sum by (cluster, state) (sluice_cluster_endpoints{${CLUSTER}})`,
        '{{cluster}} {{state}}',
        'Only endpoints that are up take connections.',
        { unit: 'short', width: 8 },
      ),
      one(
        'Slowest endpoints',
        `topk(10, sum by (cluster, endpoint) (rate(sluice_endpoint_answer_seconds_total{${CLUSTER}}[$__rate_interval])) / (sum by (cluster, endpoint) (rate(sluice_endpoint_connects_total{${CLUSTER}}[$__rate_interval]) + rate(sluice_endpoint_server_errors_total{${CLUSTER}}[$__rate_interval])) > 0))`,
        '{{cluster}} {{endpoint}}',
        'Mean time until an answer. Inspect or drain an endpoint far above its cluster.',
        { unit: 's', width: 16 },
      ),
      one(
        'Connections by endpoint',
        `topk(20, sum by (cluster, endpoint) (sluice_endpoint_connections_active{${CLUSTER}}))`,
        '{{cluster}} {{endpoint}}',
        'Uneven after scaling up? Rebalance the cluster.',
        { unit: 'short', width: 12 },
      ),
      {
        title: 'Errors of endpoints',
        description: 'Attempts without an answer, by reason, and answers with 5xx.',
        queries: [
          {
            expr: `topk(10, ${rate('cluster, endpoint, reason', 'sluice_endpoint_connect_failures_total', CLUSTER)})`,
            legend: '{{endpoint}} {{reason}}',
          },
          {
            expr: `topk(10, ${rate('cluster, endpoint', 'sluice_endpoint_server_errors_total', CLUSTER)} > 0)`,
            legend: '{{endpoint}} 5xx',
          },
        ],
        unit: 'ops',
        width: 12,
      },
      one(
        'Dial time, p99',
        `histogram_quantile(0.99, ${rate('cluster, le', 'sluice_endpoint_connect_duration_seconds_bucket', CLUSTER)})`,
        '{{cluster}}',
        'Successful dials, TLS included.',
        { unit: 's', width: 8 },
      ),
      {
        title: 'Retries and rejections',
        description: 'Dials of another endpoint, and connections without an endpoint because of a limit.',
        queries: [
          { expr: rate('cluster', 'sluice_cluster_retries_total', CLUSTER), legend: '{{cluster}} retries' },
          {
            expr: rate('cluster, reason', 'sluice_cluster_rejections_total', CLUSTER),
            legend: '{{cluster}} {{reason}}',
          },
        ],
        unit: 'ops',
        width: 8,
      },
      one(
        'Ejections and evictions',
        `sum by (cluster) (increase(sluice_endpoint_ejections_total{${CLUSTER}}[$__rate_interval]))`,
        '{{cluster}}',
        'Endpoints that were ejected because they failed clients.',
        { unit: 'short', width: 8 },
      ),
    ],
  },
  {
    title: 'Errors by reason',
    panels: [
      ['Handshake failures', 'sluice_ws_handshake_failures_total', 'reason'],
      ['Requests refused', 'sluice_http_requests_refused_total', 'reason'],
      ['Responses cut', 'sluice_http_responses_cut_total', 'reason'],
      ['Connections rejected', 'sluice_connections_rejected_total', 'reason'],
      ['Access refused', 'sluice_access_refusals_total', 'reason'],
      ['Refused by limits', 'sluice_limit_refusals_total', 'limit, kind'],
    ].map(([title, counter, by]) =>
      one(
        title!,
        `${rate(by!, counter!, LISTENER)} > 0`,
        by === 'reason' ? '{{reason}}' : '{{limit}} {{kind}}',
        'A second, without zeros. docs/reference/reasons.md says what each means and what to do.',
        { unit: 'ops', width: 8, isStacked: true },
      ),
    ),
  },
  {
    title: 'Workers and memory',
    panels: [
      one(
        'Event loop lag',
        `max by (instance, worker) (sluice_worker_event_loop_lag_seconds{${OF}})`,
        '{{instance}} {{worker}}',
        'All sessions of the worker wait that long.',
        { unit: 's', width: 8, limits: [0.1, 0.25] },
      ),
      one(
        'Busy workers',
        `max by (instance, worker) (sluice_worker_event_loop_utilization{${OF}})`,
        '{{instance}} {{worker}}',
        'Share of the time in which the event loop worked.',
        { unit: 'percentunit', width: 8, limits: [0.7, 0.9] },
      ),
      one(
        'CPU',
        rate('instance', 'process_cpu_seconds_total', OF),
        '{{instance}}',
        'Cores in use by the whole process.',
        { unit: 'none', width: 8 },
      ),
      one(
        'Resident memory',
        `max by (instance) (process_resident_memory_bytes{${OF}})`,
        '{{instance}}',
        'Memory of the whole process.',
        { unit: 'bytes', width: 8 },
      ),
      {
        title: 'Buffered bytes',
        description:
          'Bytes that wait for slow clients (downstream) or endpoints (upstream), and their limit.',
        queries: [
          { expr: `sum by (direction) (sluice_ws_buffered_bytes{${OF}})`, legend: '{{direction}}' },
          { expr: `sum(sluice_ws_unfinished_bytes{${OF}})`, legend: 'unfinished messages' },
          { expr: `sum(sluice_buffer_budget_bytes{${OF}})`, legend: 'budget' },
        ],
        unit: 'bytes',
        width: 8,
      },
      {
        title: 'Descriptors',
        description: 'At the limit clients are refused.',
        queries: [
          { expr: `max by (instance) (process_open_fds{${OF}})`, legend: '{{instance}}' },
          { expr: `min(process_max_fds{${OF}})`, legend: 'limit' },
        ],
        unit: 'short',
        width: 8,
      },
      {
        title: 'Restarts of workers',
        description: 'Each ends the sessions of the worker.',
        queries: [
          {
            expr: `sum by (instance, worker) (increase(sluice_worker_restarts_total{${OF}}[$__rate_interval]))`,
            legend: '{{instance}} {{worker}}',
          },
          { expr: `sum(sluice_workers_left_behind{${OF}})`, legend: 'left behind' },
        ],
        unit: 'short',
        width: 12,
      },
      {
        title: 'Pauses and shed sessions',
        description: 'Sessions that paused their fast side, and those closed because the buffers were full.',
        queries: [
          { expr: rate('direction', 'sluice_ws_paused_total', OF), legend: 'paused {{direction}}' },
          { expr: rate('reason', 'sluice_ws_sessions_shed_total', OF), legend: 'shed {{reason}}' },
        ],
        unit: 'ops',
        width: 12,
      },
    ],
  },
  {
    title: 'Limits, access and control',
    panels: [
      one(
        'Keys of limits',
        `max by (listener, limit) (sluice_limit_keys{${LISTENER}} / sluice_limit_key_capacity{${LISTENER}})`,
        '{{listener}} {{limit}}',
        'Full tables make clients share one count: raise maxKeys.',
        { unit: 'percentunit', width: 8, limits: [0.8, 1] },
      ),
      one(
        'Passwords',
        rate('result', 'sluice_passwords_total', OF),
        '{{result}}',
        'Passwords that were compared with their hashes, which takes CPU.',
        { unit: 'ops', width: 8 },
      ),
      one(
        'Age of key sets',
        `max by (url) (sluice_key_set_age_seconds{${OF}})`,
        '{{url}}',
        'Fetched each hour at least.',
        {
          unit: 's',
          width: 8,
        },
      ),
      one(
        'Certificates end in',
        `min by (listener, certificate) (sluice_tls_certificate_not_after_timestamp_seconds{${LISTENER}}) - time()`,
        '{{listener}} {{certificate}}',
        'Renew and reload in time.',
        { unit: 's', width: 8, type: 'bargauge' },
      ),
      {
        title: 'Generations',
        description: 'The configuration in use, and sessions of older ones.',
        queries: [
          { expr: `max by (instance) (sluice_config_generation{${OF}})`, legend: '{{instance}}' },
          {
            expr: `sum(sluice_worker_older_generation_connections{${OF}})`,
            legend: 'connections of older generations',
          },
        ],
        unit: 'short',
        width: 8,
      },
      {
        title: 'Drains',
        description: 'Connections that drains, reloads and the shutdown have not ended yet.',
        queries: [
          { expr: `sum(sluice_drain_remaining_connections{${OF}})`, legend: 'drains' },
          { expr: `sum(sluice_connections_ending{${OF}})`, legend: 'reloads, restarts and ends' },
        ],
        unit: 'short',
        width: 8,
      },
      {
        title: 'The admin address',
        description: 'Requests refused, and connections closed to protect others.',
        queries: [
          { expr: rate('reason', 'sluice_admin_requests_refused_total', OF), legend: 'refused: {{reason}}' },
          { expr: rate('reason', 'sluice_admin_connections_closed_total', OF), legend: 'closed: {{reason}}' },
        ],
        unit: 'ops',
        width: 8,
      },
      {
        title: 'Logs and traces lost',
        description: 'Traffic never waits for them: what cannot be written is counted.',
        queries: [
          { expr: rate('log', 'sluice_log_lines_dropped_total', OF), legend: 'lines: {{log}}' },
          { expr: rate('reason', 'sluice_trace_spans_dropped_total', OF), legend: 'spans: {{reason}}' },
        ],
        unit: 'ops',
        width: 8,
      },
      one(
        'Versions',
        `count by (version, node, engine) (sluice_build_info{${OF}})`,
        '{{version}} {{node}} {{engine}}',
        'Instances by version.',
        { unit: 'none', width: 8, type: 'table' },
      ),
    ],
  },
];
