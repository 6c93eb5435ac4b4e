/** The blocks of series in stats pages. */
import { BlockShape } from '../block-shape.ts';
import {
  ACCEPT_FAILURES,
  ACCESS_REFUSALS,
  BOUND_CLOSES,
  CLOSE_CODES,
  CLOSE_SIDES,
  CLUSTER_LIMITS,
  CONNECT_FAILURES,
  DIRECTIONS,
  GATE_REFUSALS,
  HANDSHAKE_FAILURES,
  LIMIT_KINDS,
  REJECT_REASONS,
  REQUEST_REFUSALS,
  RESPONSE_CUTS,
  SHED_REASONS,
  STATUS_CLASSES,
  TAP_LOSSES,
  TUNNEL_CLOSES,
  UNUSED_REASONS,
} from './label-values.ts';
import { pageMetrics, threadMetrics } from './page-metrics.ts';

/** The shape of each kind of owner. Each metric of a stats page is part of one. */
export const pageShapes = {
  process: new BlockShape(
    'process',
    [],
    [
      [pageMetrics.bufferedBytes, { direction: DIRECTIONS }],
      [pageMetrics.paused, { direction: DIRECTIONS }],
      [pageMetrics.bufferOverflows, { direction: DIRECTIONS }],
      [pageMetrics.unfinishedBytes],
      [pageMetrics.boundActive],
      [pageMetrics.boundCloses, { reason: BOUND_CLOSES }],
      [pageMetrics.connectionsEnding],
      [pageMetrics.sessionsShed, { reason: SHED_REASONS }],
      [pageMetrics.eventsSuppressed],
      [pageMetrics.tapFrames],
      [pageMetrics.tapFramesLost, { reason: TAP_LOSSES }],
    ],
  ),
  worker: new BlockShape(
    'worker',
    ['worker'],
    Object.values(threadMetrics).map((metric) => [metric]),
  ),
  cluster: new BlockShape(
    'cluster',
    ['cluster'],
    [
      [pageMetrics.clusterConnectionsActive],
      [pageMetrics.clusterRetries],
      [pageMetrics.clusterRejections, { reason: CLUSTER_LIMITS }],
      [pageMetrics.messages, { direction: DIRECTIONS }],
      [pageMetrics.bytes, { direction: DIRECTIONS }],
      [pageMetrics.closes, { side: CLOSE_SIDES, code: CLOSE_CODES }],
      [pageMetrics.endpointConnectDuration],
    ],
  ),
  /** The gauge comes first: see `BlockPool`. */
  endpoint: new BlockShape(
    'endpoint',
    ['cluster', 'endpoint'],
    [
      [pageMetrics.endpointConnectionsActive],
      [pageMetrics.endpointConnects],
      [pageMetrics.endpointAnswerSeconds],
      [pageMetrics.endpointDials],
      [pageMetrics.endpointServerErrors],
      [pageMetrics.endpointConnectFailures, { reason: CONNECT_FAILURES }],
    ],
  ),
  listener: new BlockShape(
    'listener',
    ['listener'],
    [
      [pageMetrics.connectionsActive],
      [pageMetrics.connections],
      [pageMetrics.connectionsRejected, { reason: REJECT_REASONS }],
      [pageMetrics.acceptFailures, { reason: ACCEPT_FAILURES }],
    ],
  ),
  l7Listener: new BlockShape(
    'l7 listener',
    ['listener'],
    [
      [pageMetrics.connectionsUnused, { reason: UNUSED_REASONS }],
      [pageMetrics.handshakeFailures, { reason: HANDSHAKE_FAILURES }],
      [pageMetrics.httpRefusals, { reason: REQUEST_REFUSALS }],
      [pageMetrics.accessRefusals, { reason: ACCESS_REFUSALS }],
      [pageMetrics.httpCuts, { reason: RESPONSE_CUTS }],
    ],
  ),
  limit: new BlockShape(
    'limit',
    ['listener', 'limit'],
    [[pageMetrics.limitRefusals, { kind: LIMIT_KINDS }], [pageMetrics.limitOverflows]],
  ),
  route: new BlockShape(
    'route',
    ['listener', 'route'],
    [
      [pageMetrics.httpRequestsActive],
      [pageMetrics.httpRequests, { code: STATUS_CLASSES }],
      [pageMetrics.httpDuration],
    ],
  ),
  sessions: new BlockShape(
    'sessions',
    ['listener', 'route', 'cluster'],
    [[pageMetrics.sessionsActive], [pageMetrics.sessions]],
  ),
  handshakes: new BlockShape(
    'handshakes',
    ['listener', 'cluster'],
    [
      [pageMetrics.handshakesPending],
      [pageMetrics.handshakesQueued],
      [pageMetrics.handshakesTurnedAway, { reason: GATE_REFUSALS }],
      [pageMetrics.handshakeDuration],
      [pageMetrics.sessionDuration],
    ],
  ),
  tunnels: new BlockShape(
    'tunnels',
    ['listener', 'cluster'],
    [
      [pageMetrics.tunnelsActive],
      [pageMetrics.tunnels],
      [pageMetrics.tunnelCloses, { reason: TUNNEL_CLOSES }],
      [pageMetrics.tunnelBytes, { direction: DIRECTIONS }],
    ],
  ),
} as const;
