import {
  App,
  SHARED_COMPRESSOR,
  SHARED_DECOMPRESSOR,
  SSLApp,
  _cfg,
  type AppOptions,
  type CompressOptions,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_socket_context_t,
  type WebSocketBehavior,
} from 'uWebSockets.js';
import { isOfTls13 } from '../../../config/schema/listener/tls/ciphers.ts';
import type { Certificate, Compression, L7Listener, ListenerTls } from '../../../config/types/listener.ts';
import { keepsConnection } from '../uws-client.ts';
import { forgetCreated, rememberCreated, type Socket } from '../uws-upgrade.ts';
import { runImmediatesBeforeUws } from './closing-order.ts';
import { matchServerNamesInCapitals } from './names-in-capitals.ts';

/** Receives the events of an App. */
interface AppOwner {
  /** Called for each request. `context` is null unless uWS could turn the request into a WebSocket. */
  serve(response: HttpResponse, request: HttpRequest, context: us_socket_context_t | null): void;
  /** Called when uWS gets a connection (`change` is 1), or has closed one that did not become a WebSocket. */
  connectionChanged(response: HttpResponse, change: number): void;
  /**
   * Called when uWS has ended a WebSocket.
   *
   * @param isKept whether uWS keeps the connection until the client closes it
   */
  webSocketEnded(isKept: boolean): void;
}

/**
 * The only state that an App's handlers hold. uWS 20.66 to 20.68 frees Apps and handlers only when the thread
 * ends (`app.close()` closes just the sockets, uWebSockets.js#29). So the link is cut when the App is closed,
 * and the listener can be freed. Needed until uWS frees closed Apps.
 */
export interface AppLink {
  /** Null after the App was closed. */
  owner: AppOwner | null;
}

/** Creates an App with the listener's certificates, routes and WebSocket settings. It does not listen yet. */
export function createApp(config: L7Listener, link: AppLink): TemplatedApp {
  // Suppress uWS's own Server header; the upstream identifies itself.
  _cfg('silent');
  const app = createRoutedApp(config, link);
  runImmediatesBeforeUws();
  app.filter((response, change) => link.owner?.connectionChanged(response, change));
  return app;
}

/** Returns the settings that an App cannot change. A listener with different ones needs another App. */
export function fixedSettings({ address, tls, websocket }: L7Listener): unknown {
  const { maxMessageSize, idleTimeoutMs, compression } = websocket;
  return { address, tls, maxMessageSize, idleTimeoutMs, compression };
}

function createRoutedApp(config: L7Listener, link: AppLink): TemplatedApp {
  const { tls } = config;
  const [first, ...others] = tls?.certificates ?? [];
  if (tls === null || first === undefined) return addRoutes(App(), config, link);
  const app = addRoutes(SSLApp(tlsOptions(first, tls)), config, link);
  // The first certificate is for clients that name none of the other certificates' server names.
  const add = (serverName: string, certificate: Certificate): void => {
    app.addServerName(serverName, tlsOptions(certificate, tls));
    // uWS keeps routes for each server name.
    addRoutes(app.domain(serverName), config, link);
  };
  // If certificates share a name, the first one is used.
  const taken = new Set(first.serverNames);
  for (const certificate of others) {
    for (const serverName of certificate.serverNames) {
      if (!taken.has(serverName)) add(serverName, certificate);
      taken.add(serverName);
    }
  }
  if (others.length > 0) matchServerNamesInCapitals(app, others, tls.clientCertificates, add);
  return app;
}

/** Adds the handlers to an App, or to one of its server names. */
function addRoutes(app: TemplatedApp, { websocket }: L7Listener, link: AppLink): TemplatedApp {
  const behavior: WebSocketBehavior<object> = {
    maxPayloadLength: websocket.maxMessageSize,
    // No limit: uWS would drop messages. The session pauses the endpoint.
    maxBackpressure: 0,
    idleTimeout: Math.ceil(websocket.idleTimeoutMs / 1000),
    sendPingsAutomatically: websocket.idleTimeoutMs > 0,
    compression: compressionOptions(websocket.compression),
    upgrade: (response, request, context) => link.owner?.serve(response, request, context),
    open: rememberCreated,
    message: (socket, data, binary) => (socket as Socket).client.message(data, binary),
    ping: (socket, data) => (socket as Socket).client.ping(data),
    pong: (socket, data) => (socket as Socket).client.pong(data),
    drain: (socket) => (socket as Socket).client.owner.downstreamDrained(),
    close: (socket, code, reason) => {
      // uWS does not call the filter when a connection ends that became a WebSocket (20.66 to 20.68, no
      // upstream issue known). Needed until it does.
      link.owner?.webSocketEnded(keepsConnection(code, reason));
      if (!forgetCreated(socket)) (socket as Socket).client.closed(code, reason);
    },
  };
  app.any('/*', (response, request) => link.owner?.serve(response, request, null));
  app.ws('/*', behavior);
  return app;
}

/**
 * Returns the App's TLS options. Only ciphers of TLS 1.2 are set: BoringSSL has one fixed order for TLS 1.3.
 */
function tlsOptions({ cert, key }: Certificate, { ciphers, clientCertificates }: ListenerTls): AppOptions {
  const names = ciphers.split(':').filter((name) => !isOfTls13(name));
  const options = { cert_file_name: cert, key_file_name: key, ssl_ciphers: names.join(':') };
  // With authorities, uWS requests a client certificate, and refuses one that they have not signed.
  return clientCertificates === null ? options : { ...options, ca_file_name: clientCertificates.ca };
}

function compressionOptions(compression: Compression): CompressOptions {
  return compression === 'shared' ? SHARED_COMPRESSOR | SHARED_DECOMPRESSOR : 0;
}
