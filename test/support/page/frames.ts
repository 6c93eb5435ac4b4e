/** Frames for tests of the page. */
import type { LiveFrame } from '../../../src/protocol/admin/live.ts';

type Cluster = LiveFrame['clusters'][number];
type Endpoint = Cluster['endpoints'][number];

/** 2026-01-01. */
export const START_MS = Date.UTC(2026, 0, 1);

/** Returns the frame of a process without any traffic or configuration. */
export function frameOf(changes: Partial<LiveFrame> = {}): LiveFrame {
  return {
    at: START_MS,
    version: '1.2.3',
    pid: 100,
    uptimeSeconds: 3600,
    state: 'ready',
    notReady: null,
    generation: 1,
    lastReloadSucceeded: true,
    lastReloadSuccessAt: '2026-01-01T00:00:00.000Z',
    needsRestart: [],
    takesCommands: true,
    gauges: {
      connections: 0,
      sessions: 0,
      tunnels: 0,
      requests: 0,
      handshakes: 0,
      residentBytes: 100_000_000,
      bufferedBytes: 0,
      bufferBudgetBytes: 1_000_000_000,
    },
    counters: {
      connections: 0,
      sessions: 0,
      tunnels: 0,
      requests: 0,
      handshakeFailures: 0,
      messagesUpstream: 0,
      messagesDownstream: 0,
      bytesUpstream: 0,
      bytesDownstream: 0,
    },
    handshakeSeconds: null,
    requestSeconds: null,
    errors: [],
    workers: [],
    listeners: [],
    drains: [],
    clusters: [],
    clusterCount: 0,
    ...changes,
  };
}

export function endpointOf(address: string, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    address,
    weight: 1,
    priority: 0,
    state: 'up',
    since: '2026-01-01T00:00:00.000Z',
    reason: '',
    connections: 0,
    answers: 0,
    serverErrors: 0,
    connectFailures: 0,
    ejections: 0,
    answerSeconds: 0,
    probeSeconds: null,
    ...changes,
  };
}

export function clusterOf(
  name: string,
  endpoints: readonly Endpoint[],
  changes: Partial<Cluster> = {},
): Cluster {
  return {
    name,
    balancer: 'round_robin',
    panic: false,
    drained: false,
    connections: 0,
    maxConnections: 0,
    retries: 0,
    rejections: 0,
    endpointCount: endpoints.length,
    endpointsUp: endpoints.filter(({ state }) => state === 'up').length,
    endpoints,
    ...changes,
  };
}

export function workerOf(
  name: string,
  changes: Partial<LiveFrame['workers'][number]> = {},
): LiveFrame['workers'][number] {
  return {
    name,
    kind: 'l7',
    state: 'up',
    restarts: 0,
    generation: 1,
    connections: 0,
    olderConnections: 0,
    eventLoopUtilization: 0.1,
    lagSeconds: 0.001,
    ...changes,
  };
}

/** Returns a frame with something of everything, a number of seconds after the first. */
export function busyFrame(second: number): LiveFrame {
  const listener = {
    name: 'web',
    tls: true,
    engine: 'raw',
    engineReason: 'system calls can be used',
    address: '127.0.0.1:443',
    mode: 'l7',
    connections: 12,
    drained: false,
    certificates: [
      { name: 'a.example', notAfter: '2026-01-11T00:00:00.000Z' },
      { name: 'b.example', notAfter: '2026-12-01T00:00:00.000Z' },
    ],
  } as const;
  const endpoints = [
    endpointOf('192.0.2.1:80', { answers: second * 100, answerSeconds: second * 0.3, connections: 7 }),
    endpointOf('192.0.2.2:80', { answers: second * 10, answerSeconds: second * 4, connections: 5 }),
    endpointOf('192.0.2.3:80', {
      state: 'ejected',
      reason: '5 connect failures in a row',
      ejections: 2,
      connectFailures: 9,
    }),
  ];
  return frameOf({
    at: START_MS + second * 1000,
    uptimeSeconds: 3600 + second,
    gauges: { ...frameOf().gauges, sessions: 12 + (second % 7), tunnels: 3, bufferedBytes: 250_000_000 },
    counters: {
      ...frameOf().counters,
      sessions: second * 20,
      messagesUpstream: second * 1500,
      bytesUpstream: second * 99_000,
    },
    handshakeSeconds: { count: 200, p50: 0.004, p99: 0.031 },
    errors: [
      { kind: 'handshake', reason: 'no_route', count: second * 2 },
      { kind: 'limit', reason: `limit_${second % 100}`, count: second },
    ],
    workers: [workerOf('l7-0'), workerOf('l7-1', { lagSeconds: 0.4, restarts: 1 })],
    listeners: [listener],
    drains: [
      {
        scope: { kind: 'endpoint', cluster: 'chat', name: '192.0.2.9:80' },
        total: 40,
        remaining: 10,
        seconds: 5,
      },
    ],
    clusters: [
      clusterOf('chat', endpoints, { connections: 12, retries: 4 }),
      clusterOf('empty', [], { endpointsUp: 0 }),
    ],
    clusterCount: 2,
    lastReloadSucceeded: false,
    needsRestart: ['workers.l7'],
  });
}
