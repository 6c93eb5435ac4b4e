/** Rows about the clients' traffic, from totals to details. */
import type { RowPlan } from './panel.ts';
import { CLUSTER, LISTENER, OF, one, quantiles, rate } from './queries.ts';

const SMALL = { type: 'stat', width: 4, height: 4 } as const;

export const TRAFFIC_ROWS: readonly RowPlan[] = [
  {
    title: 'Overview',
    panels: [
      one('Instances up', `sum(up{${OF}})`, '', 'Instances that answer their scrapes.', {
        ...SMALL,
        unit: 'none',
      }),
      one(
        'Workers down',
        `sum(sluice_worker_up{${OF}} == bool 0)`,
        '',
        'Workers that do not accept connections.',
        {
          ...SMALL,
          unit: 'none',
          limits: [1, 2],
        },
      ),
      one('Sessions', `sum(sluice_ws_sessions_active{${LISTENER}})`, '', 'WebSocket sessions open now.', {
        ...SMALL,
        unit: 'short',
      }),
      one(
        'Tunnels',
        `sum(sluice_tunnels_active{${LISTENER}}) or vector(0)`,
        '',
        'Tunnels of layer 4 open now.',
        {
          ...SMALL,
          unit: 'short',
        },
      ),
      one(
        'Endpoints not up',
        `sum(sluice_cluster_endpoints{${CLUSTER},state!="up"})`,
        '',
        'Endpoints that are down, ejected or draining.',
        { ...SMALL, unit: 'none', limits: [1, 3] },
      ),
      one(
        'Last reload',
        `min(sluice_config_last_reload_success{${OF}})`,
        '',
        'Whether every instance has taken the last configuration.',
        { ...SMALL, unit: 'none', texts: { '0': 'failed', '1': 'ok' } },
      ),
      one(
        'Sessions by listener',
        `sum by (listener) (sluice_ws_sessions_active{${LISTENER}})`,
        '{{listener}}',
        'A fall of one listener alone is a route, a certificate or a cluster; of all, the network or the process.',
        { unit: 'short', width: 12, isStacked: true },
      ),
      {
        title: 'Failures',
        description:
          'Everything that clients were refused or lost, a second. The row of errors has the reasons.',
        queries: [
          { expr: rate('', 'sluice_ws_handshake_failures_total', LISTENER), legend: 'handshakes' },
          {
            expr: rate('', 'sluice_http_requests_total', `${LISTENER},code="5xx"`),
            legend: 'requests with 5xx',
          },
          { expr: rate('', 'sluice_connections_rejected_total', LISTENER), legend: 'connections rejected' },
          { expr: rate('', 'sluice_ws_sessions_shed_total', OF), legend: 'sessions shed' },
        ],
        unit: 'ops',
        width: 12,
      },
    ],
  },
  {
    title: 'Traffic',
    panels: [
      one(
        'Connections',
        `sum by (listener) (sluice_connections_active{${LISTENER}})`,
        '{{listener}}',
        'Connections of clients open now.',
        { unit: 'short', width: 8 },
      ),
      one(
        'New connections',
        rate('listener', 'sluice_connections_total', LISTENER),
        '{{listener}}',
        'A second.',
        {
          unit: 'cps',
          width: 8,
        },
      ),
      one(
        'Requests',
        rate('code', 'sluice_http_requests_total', LISTENER),
        '{{code}}',
        'HTTP requests a second by class of status, refused handshakes included.',
        { unit: 'reqps', width: 8, isStacked: true },
      ),
      one(
        'Messages',
        rate('direction', 'sluice_ws_messages_total', CLUSTER),
        '{{direction}}',
        'WebSocket messages a second; downstream is towards the client.',
        { unit: 'ops', width: 8 },
      ),
      one(
        'Bytes of messages',
        rate('direction', 'sluice_ws_bytes_total', CLUSTER),
        '{{direction}}',
        'Payload of WebSocket messages.',
        { unit: 'Bps', width: 8 },
      ),
      one(
        'Bytes of tunnels',
        rate('direction', 'sluice_tunnel_bytes_total', LISTENER),
        '{{direction}}',
        'Bytes of layer 4.',
        { unit: 'Bps', width: 8 },
      ),
    ],
  },
  {
    title: 'Handshakes and requests',
    panels: [
      one(
        'Handshakes',
        rate('listener', 'sluice_ws_sessions_total', LISTENER),
        '{{listener}}',
        'WebSocket sessions opened a second.',
        { unit: 'ops', width: 8 },
      ),
      {
        title: 'Handshake time',
        description: 'From the upgrade request to its 101. With tracing, dots lead to traces.',
        queries: quantiles('cluster', 'sluice_ws_handshake_duration_seconds', LISTENER),
        unit: 's',
        width: 16,
        hasExemplars: true,
      },
      {
        title: 'Handshakes under way',
        description: 'Waiting ones have found maxPendingHandshakes reached.',
        queries: [
          { expr: `sum(sluice_ws_handshakes_pending{${LISTENER}})`, legend: 'under way' },
          { expr: `sum(sluice_ws_handshakes_queued{${LISTENER}})`, legend: 'waiting' },
        ],
        unit: 'short',
        width: 8,
      },
      {
        title: 'Request time',
        description: 'From a request to the end of its response. With tracing, dots lead to traces.',
        queries: quantiles('route', 'sluice_http_request_duration_seconds', LISTENER),
        unit: 's',
        width: 16,
        hasExemplars: true,
      },
      {
        title: 'Session time',
        description: 'How long the sessions lived that have ended.',
        queries: quantiles('cluster', 'sluice_ws_session_duration_seconds', LISTENER),
        unit: 's',
        width: 12,
        hasExemplars: true,
      },
      one(
        'Closes',
        rate('side, code', 'sluice_ws_closes_total', CLUSTER),
        '{{side}} {{code}}',
        'Ended sessions by the side that closed and its code. 1006 is a connection without a close frame.',
        { unit: 'ops', width: 12, isStacked: true },
      ),
    ],
  },
];
