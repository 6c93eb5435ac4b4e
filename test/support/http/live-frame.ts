/** A frame of `GET /live` for tests, with something of everything that a person needs to see. */
import type { LiveFrame } from '../../../src/protocol/admin/live.ts';

/** 12:00 of a day. */
const START = Date.UTC(2030, 0, 1, 12);

export type Endpoint = LiveFrame['clusters'][number]['endpoints'][number];

/** Returns an endpoint that is well, but for what is given. */
export function endpoint(address: string, more: Partial<Endpoint> = {}): Endpoint {
  return {
    address,
    weight: 1,
    priority: 0,
    state: 'up',
    since: new Date(START - 3_600_000).toISOString(),
    reason: '',
    connections: 0,
    answers: 0,
    serverErrors: 0,
    connectFailures: 0,
    ejections: 0,
    answerSeconds: 0,
    probeSeconds: 0.002,
    ...more,
  };
}

/**
 * Returns the frame of a second.
 *
 * @param second 0 for the first one: counters rise with it
 */
export function liveFrame(second = 0, more: Partial<LiveFrame> = {}): LiveFrame {
  const at = START + second * 1000;
  const worker = { kind: 'l7', state: 'up', generation: 3, olderConnections: 0 } as const;
  return {
    at,
    version: '1.2.3',
    pid: 4242,
    uptimeSeconds: 7500 + second,
    state: 'ready',
    notReady: null,
    generation: 3,
    lastReloadSucceeded: true,
    lastReloadSuccessAt: new Date(START).toISOString(),
    needsRestart: [],
    takesCommands: true,
    gauges: {
      connections: 12_400,
      sessions: 12_345,
      tunnels: 7,
      requests: 3,
      handshakes: 1,
      residentBytes: 345 * 1024 * 1024,
      bufferedBytes: 16 * 1024 * 1024,
      bufferBudgetBytes: 64 * 1024 * 1024,
    },
    counters: {
      connections: 50_000 + 100 * second,
      sessions: 40_000 + 80 * second,
      tunnels: 100,
      requests: 9000 + 40 * second,
      handshakeFailures: 500 + 20 * second,
      messagesUpstream: 1_000_000 + 5000 * second,
      messagesDownstream: 2_000_000 + 10_000 * second,
      bytesUpstream: 1e9 + 1024 * 1024 * second,
      bytesDownstream: 2e9 + 3 * 1024 * 1024 * second,
    },
    handshakeSeconds: { count: 800, p50: 0.0012, p99: 0.02 },
    requestSeconds: { count: 400, p50: 0.003, p99: 0.25 },
    errors: [
      { kind: 'handshake', reason: 'no_route', count: 480 },
      { kind: 'limit', reason: 'messages', count: 20 + 20 * second },
    ],
    workers: [
      {
        ...worker,
        name: 'l7-0',
        restarts: 0,
        connections: 6000,
        eventLoopUtilization: 0.42,
        lagSeconds: 0.0011,
      },
      {
        ...worker,
        name: 'l7-1',
        restarts: 1,
        connections: 6345,
        eventLoopUtilization: 0.97,
        lagSeconds: 0.15,
      },
    ],
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        tls: true,
        engine: 'raw',
        engineReason: 'auto: the kernel has epoll',
        address: '0.0.0.0:443',
        connections: 12_393,
        drained: false,
        certificates: [{ name: 'example.com', notAfter: new Date(START + 5.5 * 86_400_000).toISOString() }],
      },
      {
        name: 'tcp',
        mode: 'l4',
        tls: false,
        engine: 'raw',
        engineReason: 'auto: the kernel has epoll',
        address: '0.0.0.0:8081',
        connections: 7,
        drained: true,
        certificates: [],
      },
    ],
    drains: [],
    clusters: [
      {
        name: 'chat',
        balancer: 'least_connections',
        panic: false,
        drained: false,
        connections: 12_000,
        maxConnections: 20_000,
        retries: 10 + second,
        rejections: 0,
        endpointCount: 3,
        endpointsUp: 2,
        endpoints: [
          endpoint('10.0.0.13:9001', {
            state: 'ejected',
            reason: '2 connect failures in a row; ejected for 30s',
            since: new Date(START - 12_000).toISOString(),
            connectFailures: 8 + second,
            ejections: 1,
            probeSeconds: null,
          }),
          endpoint('10.0.0.11:9001', {
            connections: 6000,
            answers: 1000 + 30 * second,
            answerSeconds: 20 + 0.6 * second,
          }),
          endpoint('10.0.0.12:9001', {
            connections: 6000,
            answers: 900 + 10 * second,
            answerSeconds: 90 + 5 * second,
            serverErrors: 4 + 2 * second,
          }),
        ],
      },
      {
        name: 'a-cluster-with-a-name-that-nobody-can-remember',
        balancer: 'round_robin',
        panic: false,
        drained: false,
        connections: 345,
        maxConnections: 0,
        retries: 0,
        rejections: 0,
        endpointCount: 1,
        endpointsUp: 1,
        endpoints: [endpoint('a-long-host-name.of-a-service.example.com:9001', { connections: 345 })],
      },
    ],
    clusterCount: 2,
    ...more,
  };
}
