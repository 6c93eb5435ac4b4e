import type { Cluster } from '../../config/types/cluster.ts';
import type { Config } from '../../config/types/config.ts';
import type { WorkerConfig } from '../../protocol/config-change.ts';
import type { L7Listener } from '../../config/types/listener.ts';
import type { Route } from '../../config/types/route.ts';
import type { TcpAddress } from '../../core/address.ts';

/** Name of the cluster, and of the route of every listener. */
export const WARM_UP = 'warm-up';

const NO_CHANGES = { set: new Map(), add: new Map(), remove: [] };

/**
 * Lists one layer 7 listener for each engine in the configuration. For `raw`, lists one with TLS and one
 * without, if both exist.
 */
export function templatesOf({ listeners }: WorkerConfig): L7Listener[] {
  const byKind = new Map<string, L7Listener>();
  for (const listener of listeners) {
    if (listener.mode !== 'l7') continue;
    const kind = `${listener.engine} ${warmsTls(listener) ? 'with' : 'without'} TLS`;
    if (!byKind.has(kind)) byKind.set(kind, listener);
  }
  return [...byKind.values()];
}

/** Whether a template's handshakes use TLS: only `raw` has TLS code of the proxy's own. */
export function warmsTls({ engine, tls }: L7Listener): boolean {
  return engine === 'raw' && tls !== null;
}

/**
 * Creates an isolated configuration: listeners with the engines of the real ones, each with one path to one
 * endpoint. Settings that select code paths match the real listeners. Settings that could refuse a handshake,
 * or that need other systems, are omitted.
 *
 * @param ports a port for each of the templates
 */
export function syntheticConfig(
  config: WorkerConfig,
  templates: readonly L7Listener[],
  ports: readonly number[],
  endpoint: TcpAddress,
  path: string,
): Config {
  const route = routeTo(path);
  return {
    ...config,
    tracing: null,
    listeners: templates.map((template, index): L7Listener => {
      const { mode, engine, forwarded, via, underscoreHeaders, paths, websocket, http } = template;
      return {
        name: `${WARM_UP}-${index}`,
        mode,
        address: { ...endpoint, port: ports[index]! },
        maxConnections: 0,
        engine,
        tls:
          template.tls !== null && warmsTls(template) ? { ...template.tls, clientCertificates: null } : null,
        maxPendingHandshakes: 0,
        maxQueuedHandshakes: 0,
        trustedProxies: [],
        proxyProtocol: 'off',
        passthrough: [],
        access: null,
        limits: [],
        errorPages: new Map(),
        forwarded,
        via,
        underscoreHeaders,
        paths,
        websocket,
        http,
        routes: [route],
      };
    }),
    clusters: [clusterOf(endpoint)],
  };
}

function routeTo(path: string): Route {
  return {
    name: WARM_UP,
    match: {
      hosts: [],
      path,
      pathPrefix: null,
      pathRegex: null,
      headers: new Map(),
      query: new Map(),
      subprotocol: null,
      clientCertificate: null,
    },
    action: {
      kind: 'cluster',
      cluster: WARM_UP,
      upgrade: 'also',
      rewrite: { host: null, stripPrefix: null, path: null },
    },
    headers: { request: NO_CHANGES, response: NO_CHANGES },
    access: null,
    limits: [],
    errorPages: new Map(),
  };
}

function clusterOf(address: TcpAddress): Cluster {
  return {
    name: WARM_UP,
    balancer: 'round_robin',
    hashOn: { kind: 'source_ip' },
    loadFactor: 0,
    sticky: null,
    connectTimeoutMs: 1000,
    retries: 0,
    retryBudget: { percent: 0, minPerSecond: 0 },
    maxConnections: 0,
    panicThreshold: 0,
    outlier: null,
    slowStartMs: 0,
    healthCheck: null,
    onDown: 'keep',
    resolve: { type: 'system', intervalMs: 60_000, servers: [] },
    masking: 'zero',
    proxyProtocol: 'off',
    tls: null,
    endpoints: [{ address, weight: 1, maxConnections: 0 }],
  };
}
