/** Renders a configuration as YAML. */
import { formatAddress } from '../core/address.ts';
import { formatByteSize } from '../core/units/byte-size.ts';
import { formatDuration } from '../core/units/duration.ts';
import { formatByteRate, formatRate } from '../core/units/rate.ts';
import type { LoadedConfig } from './loader.ts';
import { accessTree, routeAccessTree } from './render/access-tree.ts';
import { withGivenValues } from './render/given-values.ts';
import { logTree } from './render/log-tree.ts';
import { limitTrees, redisTree, revocationsTree } from './render/limits-tree.ts';
import { tracingTree } from './render/tracing-tree.ts';
import { without, type BlockLists, type Tree } from './render/tree.ts';
import { keyForUws } from './schema/listener/l7-engine.ts';
import { isOfTls13 } from './schema/listener/tls/ciphers.ts';
import type { AccessSettings } from './types/access.ts';
import type { Cluster, ClusterFiles, HealthCheck, Sticky } from './types/cluster.ts';
import type { ErrorPageSettings } from './types/error-page.ts';
import type {
  ClientCertificateSettings,
  HttpSettings,
  Listener,
  ListenerTls,
  WebSocketSettings,
} from './types/listener.ts';
import type { HeaderChanges, Route, RouteAction, RouteMatch } from './types/route.ts';
import { HIDDEN } from './syntax/outside/hidden.ts';
import { yaml } from './syntax/yaml/package.ts';

/**
 * Renders every setting, including defaults. Loading the output gives the same configuration. Values from the
 * environment and from files are printed as they were given, other secrets as {@link HIDDEN}.
 */
export function renderConfig({
  config,
  clusterFiles,
  blockLists,
  givenValues,
}: Pick<LoadedConfig, 'config' | 'clusterFiles' | 'blockLists' | 'givenValues'>): string {
  const { workers, admin, metrics, log, tracing, shutdown, drain, redis, revocations, demo } = config;
  const { listeners, clusters } = config;
  const tree = without({
    workers: {
      l7: workers.l7,
      l4: workers.l4,
      bufferBudget: formatByteSize(workers.bufferBudget),
      stuckAfter: formatDuration(workers.stuckAfterMs),
      warmUp: formatDuration(workers.warmUpMs),
    },
    // The token is secret, and people share the output.
    admin: without({
      address: formatAddress(admin.address),
      hosts: [...admin.hosts],
      token: admin.token === null ? null : HIDDEN,
      tap: admin.tap,
      tapRedact: [...admin.tapRedact],
    }),
    metrics: { ...metrics },
    log: logTree(log),
    tracing: tracingTree(tracing),
    shutdown: {
      grace: formatDuration(shutdown.graceMs),
      readyDelay: formatDuration(shutdown.readyDelayMs),
    },
    drain: {
      rate: formatRate(drain.rate),
      deadline: formatDuration(drain.deadlineMs),
      jitter: formatDuration(drain.jitterMs),
    },
    redis: redisTree(redis),
    revocations: revocationsTree(revocations),
    demo: demo === null ? null : without({ ...demo }),
    listeners: listeners.map((listener) => listenerTree(listener, blockLists)),
    clusters:
      clusters.length === 0
        ? null
        : clusters.map((cluster) => clusterTree(cluster, clusterFiles.get(cluster.name))),
  });
  return yaml().stringify(withGivenValues(tree, givenValues), { lineWidth: 0, aliasDuplicateObjects: false });
}

function listenerTree(listener: Listener, lists: BlockLists): Tree {
  const { name, mode, address, maxConnections, trustedProxies, proxyProtocol, passthrough } = listener;
  const { access, limits } = listener;
  const common = {
    name,
    mode,
    address: formatAddress(address),
    maxConnections,
    trustedProxies,
    proxyProtocol,
    access: accessTree(access, lists),
    limits: limitTrees(limits),
    passthrough: passthrough.map(({ serverNames, cluster }) => ({ serverName: serverNames, cluster })),
  };
  if (listener.mode === 'l4') {
    const { cluster, engine, idleTimeoutMs, halfCloseTimeoutMs } = listener;
    return {
      ...without({ ...common, cluster }),
      engine,
      idleTimeout: formatDuration(idleTimeoutMs),
      halfCloseTimeout: formatDuration(halfCloseTimeoutMs),
    };
  }
  const {
    engine,
    tls,
    maxPendingHandshakes,
    maxQueuedHandshakes,
    forwarded,
    via,
    underscoreHeaders,
    paths,
    websocket,
    http,
    errorPages,
    routes,
  } = listener;
  const usesUws = keyForUws({ engine, compression: websocket.compression }) !== null;
  return without({
    ...common,
    engine,
    tls: tls === null ? null : tlsTree(tls, usesUws),
    maxPendingHandshakes,
    // The loader refuses this key without a limit, because nothing is queued then.
    ...(maxPendingHandshakes > 0 && { maxQueuedHandshakes }),
    forwarded,
    via,
    underscoreHeaders,
    paths,
    websocket: webSocketTree(websocket, usesUws),
    http: {
      requestTimeout: formatDuration(http.requestTimeoutMs),
      idleTimeout: formatDuration(http.idleTimeoutMs),
      maxBodySize: formatByteSize(http.maxBodySize),
      minBodyRate: formatByteRate(http.minBodyRate),
      keepAlive: formatDuration(http.keepAliveMs),
      ...(!usesUws && clientHttpTree(http)),
    },
    errorPages: pagesTree(errorPages),
    routes: routes.map((route) => routeTree(route, access, lists)),
  });
}

/**
 * Renders the paths of key files instead of the keys: keys are secret, and people share the output.
 *
 * @param usesUws omits the keys that the loader refuses for the engine `uws`
 */
function tlsTree(tls: ListenerTls, usesUws: boolean): Tree {
  const { certificates, minVersion, ciphers, groups, alpn, handshakeTimeoutMs, clientCertificates, tickets } =
    tls;
  return without({
    certificates: certificates.map(({ cert, key }) => ({ cert, key })),
    minVersion,
    ciphers: ciphers.split(':').filter((cipher) => !usesUws || !isOfTls13(cipher)),
    ...(!usesUws && {
      groups: groups.split(':'),
      alpn,
      handshakeTimeout: formatDuration(handshakeTimeoutMs),
      tickets:
        tickets.kind === 'file' ? { keyFile: tickets.keyFile } : { rotate: formatDuration(tickets.rotateMs) },
    }),
    clientCertificates: clientCertificates === null ? null : clientCertificatesTree(clientCertificates),
  });
}

function clientCertificatesTree({ ca, isRequired, crl, forward }: ClientCertificateSettings): Tree {
  return without({ ca, require: isRequired, crl, forward });
}

/** Renders the keys that the loader refuses for the engine `uws`. */
function clientHttpTree(http: HttpSettings): Tree {
  return {
    headerTimeout: formatDuration(http.headerTimeoutMs),
    maxHeaderSize: formatByteSize(http.maxHeaderSize),
    maxHeaders: http.maxHeaders,
    clientKeepAlive: formatDuration(http.clientKeepAliveMs),
    maxRequestsPerConnection: http.maxRequestsPerConnection,
    bodyTimeout: formatDuration(http.bodyTimeoutMs),
  };
}

/** @param usesUws if false, omits the keys that the loader refuses for the other engines */
function webSocketTree(settings: WebSocketSettings, usesUws: boolean): Tree {
  return {
    handshakeTimeout: formatDuration(settings.handshakeTimeoutMs),
    maxMessageSize: formatByteSize(settings.maxMessageSize),
    idleTimeout: formatDuration(settings.idleTimeoutMs),
    maxLifetime: formatDuration(settings.maxLifetimeMs),
    ...(usesUws && {
      downstreamBuffer: formatByteSize(settings.downstreamBuffer),
      upstreamBuffer: formatByteSize(settings.upstreamBuffer),
    }),
    compression: settings.compression,
    endpointLostCode: settings.endpointLostCode,
  };
}

/** @param inherited the listener's settings */
function routeTree(route: Route, inherited: AccessSettings | null, lists: BlockLists): Tree {
  const { name, match, action, headers, access, limits, errorPages } = route;
  const request = changesTree(headers.request);
  const response = changesTree(headers.response);
  const changes = without({ request, response });
  return without({
    name,
    match: matchTree(match),
    ...actionTree(action),
    headers: Object.keys(changes).length === 0 ? null : changes,
    access: routeAccessTree(access, inherited, lists),
    limits: limitTrees(limits),
    errorPages: errorPages === null ? 'off' : pagesTree(errorPages),
  });
}

/** Renders the files. Returns null without pages. */
function pagesTree(pages: ErrorPageSettings): ReadonlyMap<string, string> | null {
  return pages.size === 0 ? null : new Map([...pages].map(([key, { file }]) => [key, file]));
}

/** Returns null if nothing changes. */
function changesTree({ set, add, remove }: HeaderChanges): Tree | null {
  if (set.size === 0 && add.size === 0 && remove.length === 0) return null;
  return without({
    set: set.size === 0 ? null : set,
    add: add.size === 0 ? null : add,
    remove: remove.length === 0 ? null : remove,
  });
}

function matchTree({ hosts, headers, query, clientCertificate, ...match }: RouteMatch): Tree {
  return without({
    host: hosts.length < 2 ? (hosts[0] ?? null) : hosts,
    ...match,
    clientCertificate: clientCertificate === null ? null : without({ ...clientCertificate }),
    headers: headers.size === 0 ? null : headers,
    query: query.size === 0 ? null : query,
  });
}

function actionTree(action: RouteAction): Tree {
  switch (action.kind) {
    case 'cluster': {
      const { cluster, upgrade } = action;
      const rewrite = without({ ...action.rewrite });
      return without({ cluster, upgrade, rewrite: Object.keys(rewrite).length === 0 ? null : rewrite });
    }
    case 'static': {
      const { root, index, fallback, precompressed, cacheControl } = action;
      return { static: without({ root, index, fallback, precompressed, cacheControl }) };
    }
    case 'respond':
      return { respond: { status: action.status, body: action.body, contentType: action.contentType } };
    case 'redirect':
      return { redirect: { to: action.to, status: action.status } };
  }
}

function clusterTree(cluster: Cluster, files: ClusterFiles | undefined): Tree {
  const { name, balancer, hashOn, loadFactor, sticky, connectTimeoutMs, masking, tls, endpoints } = cluster;
  const { retries, retryBudget, maxConnections, resolve, proxyProtocol } = cluster;
  const hashes = balancer === 'consistent_hash';
  return without({
    name,
    balancer,
    hashOn: !hashes ? null : hashOn.kind === 'source_ip' ? 'source_ip' : { [hashOn.kind]: hashOn.name },
    loadFactor: hashes ? loadFactor : null,
    sticky: sticky === null ? null : stickyTree(sticky, files?.stickySecret ?? null),
    connectTimeout: formatDuration(connectTimeoutMs),
    retries,
    retryBudget,
    maxConnections,
    ...healthTree(cluster),
    resolve: { type: resolve.type, interval: formatDuration(resolve.intervalMs), servers: resolve.servers },
    masking,
    proxyProtocol,
    // The key is secret, and people share the output: render the path of its file.
    tls:
      tls === null
        ? null
        : without({
            serverName: tls.serverName,
            verify: tls.verify,
            ca: files?.ca ?? null,
            cert: files?.cert ?? null,
            key: files?.key ?? null,
          }),
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, address: formatAddress(endpoint.address) })),
  });
}

/** Renders the path of the secret's file, or a placeholder, instead of the secret. */
function stickyTree({ cookie, ttlMs, secret, sameSite, secure }: Sticky, secretFile: string | null): Tree {
  return without({
    cookie,
    ttl: formatDuration(ttlMs),
    secret: secret === null || secretFile !== null ? null : HIDDEN,
    secretFile,
    sameSite,
    secure,
  });
}

function healthTree({ healthCheck, onDown, outlier, panicThreshold, slowStartMs }: Cluster): Tree {
  return {
    healthCheck: healthCheck === null ? null : healthCheckTree(healthCheck),
    onDown,
    outlier:
      outlier === null
        ? 'off'
        : {
            failures: outlier.failures,
            consecutiveFailures: outlier.consecutiveFailures,
            ...(outlier.failures.some((failure) => failure !== 'connect') && {
              window: formatDuration(outlier.windowMs),
              minClients: outlier.minClients,
            }),
            ejection: formatDuration(outlier.ejectionMs),
            maxEjection: formatDuration(outlier.maxEjectionMs),
            maxEjectedPercent: outlier.maxEjectedPercent,
          },
    panicThreshold,
    slowStart: formatDuration(slowStartMs),
  };
}

function healthCheckTree({ type, path, host, status, intervalMs, timeoutMs, rise, fall }: HealthCheck): Tree {
  return without({
    type,
    path: type === 'tcp' ? null : path,
    host,
    status: type === 'http' ? `${status.min}-${status.max}` : null,
    interval: formatDuration(intervalMs),
    timeout: formatDuration(timeoutMs),
    rise,
    fall,
  });
}
