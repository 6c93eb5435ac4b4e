/** Writes a configuration as YAML. */
import { stringify } from 'yaml';
import { formatAddress } from '../core/address.ts';
import { formatByteSize } from '../core/byte-size.ts';
import { formatDuration } from '../core/duration.ts';
import type { ClusterFiles } from './cluster.ts';
import type { LoadedConfig } from './loader.ts';
import type { Cluster, Listener, Route, RouteAction, RouteMatch, WebSocketSettings } from './types.ts';

/** A mapping in the file's own keys; what is null is left out. */
type Tree = Readonly<Record<string, unknown>>;

/** Every setting, defaults included, in the keys of a configuration file: loading it gives the same again. */
export function renderConfig({ config, clusterFiles }: Omit<LoadedConfig, 'warnings'>): string {
  const { workers, admin, log, shutdown, demo, listeners, clusters } = config;
  return stringify(
    without({
      workers: { ...workers, bufferBudget: formatByteSize(workers.bufferBudget) },
      // The token is a secret, and has no place in output that people read and pass on.
      admin: { address: formatAddress(admin.address) },
      log,
      shutdown: { grace: formatDuration(shutdown.graceMs) },
      demo: demo === null ? null : without({ ...demo }),
      listeners: listeners.map(listenerTree),
      clusters:
        clusters.length === 0
          ? null
          : clusters.map((cluster) => clusterTree(cluster, clusterFiles.get(cluster.name))),
    }),
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function listenerTree(listener: Listener): Tree {
  const { name, mode, address, maxConnections } = listener;
  const common = { name, mode, address: formatAddress(address), maxConnections };
  if (listener.mode === 'l4') {
    const { cluster, engine, idleTimeoutMs } = listener;
    return { ...common, cluster, engine, idleTimeout: formatDuration(idleTimeoutMs) };
  }
  const { tls, trustedProxies, websocket, routes } = listener;
  const certificates = tls?.certificates.map(({ cert, key }) => ({ cert, key }));
  return without({
    ...common,
    tls: certificates === undefined ? null : { certificates },
    trustedProxies,
    websocket: webSocketTree(websocket),
    routes: routes.map(routeTree),
  });
}

function webSocketTree(settings: WebSocketSettings): Tree {
  return {
    handshakeTimeout: formatDuration(settings.handshakeTimeoutMs),
    maxMessageSize: formatByteSize(settings.maxMessageSize),
    idleTimeout: formatDuration(settings.idleTimeoutMs),
    maxLifetime: formatDuration(settings.maxLifetimeMs),
    downstreamBuffer: formatByteSize(settings.downstreamBuffer),
    upstreamBuffer: formatByteSize(settings.upstreamBuffer),
    compression: settings.compression,
    endpointLostCode: settings.endpointLostCode,
  };
}

function routeTree({ name, match, action }: Route): Tree {
  return { name, match: matchTree(match), ...actionTree(action) };
}

function matchTree({ headers, query, ...match }: RouteMatch): Tree {
  return without({
    ...match,
    headers: headers.size === 0 ? null : headers,
    query: query.size === 0 ? null : query,
  });
}

function actionTree(action: RouteAction): Tree {
  switch (action.kind) {
    case 'cluster': {
      const { cluster, stripPrefix } = action;
      return without({ cluster, rewrite: stripPrefix === null ? null : { stripPrefix } });
    }
    case 'static':
      return { static: { root: action.root, index: action.index } };
    case 'respond':
      return { respond: { status: action.status, body: action.body, contentType: action.contentType } };
    case 'redirect':
      return { redirect: { to: action.to, status: action.status } };
  }
}

function clusterTree(cluster: Cluster, files: ClusterFiles | undefined): Tree {
  const { name, balancer, connectTimeoutMs, retries, masking, tls, endpoints } = cluster;
  return without({
    name,
    balancer,
    connectTimeout: formatDuration(connectTimeoutMs),
    retries,
    masking,
    // A key's text has no place in output that people read and pass on: its file is named.
    tls: tls === null ? null : without({ serverName: tls.serverName, verify: tls.verify, ...files }),
    endpoints: endpoints.map(({ address, weight }) => ({ address: formatAddress(address), weight })),
  });
}

function without(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== null));
}
