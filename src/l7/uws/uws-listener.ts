import { isDeepStrictEqual } from 'node:util';
import {
  App,
  SHARED_COMPRESSOR,
  SHARED_DECOMPRESSOR,
  SSLApp,
  _cfg,
  us_listen_socket_close,
  type CompressOptions,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  type us_socket_context_t,
  type WebSocket,
  type WebSocketBehavior,
} from 'uWebSockets.js';
import type {
  Certificate,
  Compression,
  L7Listener as L7ListenerConfig,
} from '../../config/types/listener.ts';
import { formatAddress } from '../../core/address.ts';
import type { ThreadLock } from '../../core/thread-lock.ts';
import { markListening } from '../../sys/sockets/accepted-sockets.ts';
import { noteClosing, noteListening } from '../../sys/descriptors/descriptor-table.ts';
import { HandOver } from '../../sys/sockets/hand-over.ts';
import {
  findListening,
  lengthenQueue,
  limitReceiveBuffers,
  limitUnsent,
} from '../../sys/sockets/listening-sockets.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { chooseDeflateOffer } from '../../wire/upgrade/deflate-offer.ts';
import { formatIp } from '../../wire/ip-address.ts';
import { headerOf, joinedHeaderOf, type RequestHead } from '../../wire/http/request-head.ts';
import type { UpgradeRequest } from '../../wire/upgrade/upgrade-request.ts';
import type { EngineListener, ListenerOwner } from '../contract/engine.ts';
import type { Exchange } from '../contract/exchange.ts';
import type { HeaderList } from '../contract/http-reply.ts';
import type { Session } from '../websocket/message-relay/message-session.ts';
import type { UpgradeReply } from '../websocket/upgrade.ts';
import { UwsReply } from './uws-reply.ts';
import { freeWhatImmediatesClose } from './uws-closing.ts';
import { UwsRequestBody } from './uws-request-body.ts';
import { matchServerNamesInCapitals } from './uws-server-names.ts';
import { forgetMade, makeWebSocket, noteMade, type Socket, type SocketData } from './uws-upgrade.ts';

/**
 * The kernel must not have 512 KiB for uWS, which is what it reads at once. While it gets as much it reads on, whether
 * the connection is paused or not, so that a fast client would fill the memory. And of TLS it decrypts a read into a
 * buffer of that size: where that fills up while something waits for the client, it forgets what is left of the input,
 * and the connection breaks. The kernel takes twice this number for its bound, and a packet or two more.
 */
export const RECEIVE_BUFFER = 192 * 1024;
/**
 * What the kernel takes for a client that it cannot send yet. Left to itself it takes 4 MiB for one that reads nothing,
 * and a close frame waits behind them.
 */
const UNSENT = 256 * 1024;

/** uWS closes a connection without a request after 10 s by timers of 4 s: 8.4 to 12 s, as measured. */
const MIN_SILENCE_MS = 8000;

/** What the handlers of an App know: uWS keeps those, with all that they know, until its thread ends. */
interface Link {
  /** Null once the App has been closed, so that nothing else is kept with it. */
  listener: UwsListener | null;
}

/** What the listeners of one engine share. */
export interface UwsTerms {
  readonly log: Logger;
  /** Calls back once, when what is read now has been served, from where clients may be written to. */
  readonly later: (callback: () => void) => void;
}

/** One layer 7 listener on an App of uWebSockets.js. */
export class UwsListener implements EngineListener {
  #config: L7ListenerConfig;
  readonly #owner: ListenerOwner;
  readonly #log: Logger;
  readonly #later: UwsTerms['later'];
  readonly #app: TemplatedApp;
  readonly #link: Link = { listener: this };
  #socket: us_listen_socket | null = null;
  /** The descriptor of that socket, -1 where it could not be found out. */
  #descriptor = -1;
  #handOver: HandOver | null = null;
  #closed = false;

  constructor(config: L7ListenerConfig, owner: ListenerOwner, { log, later }: UwsTerms) {
    this.#config = config;
    this.#owner = owner;
    this.#log = log;
    this.#later = later;
    // Suppress uWS's own Server header; the upstream identifies itself.
    _cfg('silent');
    this.#app = this.#createApp();
    freeWhatImmediatesClose();
    const link = this.#link;
    this.#app.filter((response, change) => link.listener?.connectionChanged(response, change));
  }

  fits(config: L7ListenerConfig): boolean {
    return isDeepStrictEqual(fixedSettings(config), fixedSettings(this.#config));
  }

  prepare(config: L7ListenerConfig): () => void {
    return () => {
      this.#config = config;
    };
  }

  listen(lock: ThreadLock): void {
    const { address, name } = this.#config;
    lock.hold(() => {
      const before = findListening(address.port);
      this.#app.listen(address.host, address.port, (socket) => {
        if (socket === false) throw new Error(`listener ${name} cannot listen on ${formatAddress(address)}`);
        this.#socket = socket;
      });
      const [own = -1] = findListening(address.port).filter((fd) => !before.includes(fd));
      this.#descriptor = own;
      noteListening(own);
    });
    this.#setUp(this.#descriptor);
  }

  stop(): void {
    this.#handOver?.end();
    this.#handOver = null;
    noteClosing(this.#descriptor);
    if (this.#socket !== null) us_listen_socket_close(this.#socket);
    this.#socket = null;
    this.#descriptor = -1;
  }

  leave(from: number | null): void {
    if (this.#descriptor >= 0) this.#handOver = new HandOver(this.#descriptor, from);
  }

  get listens(): boolean {
    return this.#socket !== null;
  }

  close(): void {
    this.stop();
    if (this.#closed) return;
    this.#closed = true;
    this.#app.close();
    this.#link.listener = null;
  }

  /** Asks of the listening socket what uWS does not. */
  #setUp(descriptor: number): void {
    if (descriptor >= 0 && limitReceiveBuffers(descriptor, RECEIVE_BUFFER)) {
      if (!markListening(descriptor, RECEIVE_BUFFER)) {
        const reason = 'net.core.rmem_max cuts the receive buffer';
        const fields = { listener: this.#config.name, reason };
        this.#log.warn(fields, 'unfinished messages not counted in the buffer budget');
      }
      limitUnsent(descriptor, UNSENT);
      // uWS asks for 512, which a storm of clients that come back overflows.
      lengthenQueue(descriptor);
      return;
    }
    const { name, tls } = this.#config;
    if (tls === null) this.#log.info({ listener: name }, 'a client that uploads fast may fill memory');
    else this.#log.warn({ listener: name }, 'a client that sends fast may lose its connection');
  }

  #createApp(): TemplatedApp {
    const { tls } = this.#config;
    const [first, ...others] = tls?.certificates ?? [];
    if (first === undefined) return this.#route(App());
    const app = this.#route(SSLApp(fileNames(first)));
    // The first certificate answers whoever names none of the others; it may share names with none of them.
    // uWS keeps this function for ever: it must not know the listener.
    const config = this.#config;
    const link = this.#link;
    const add = (serverName: string, certificate: Certificate): void => {
      app.addServerName(serverName, fileNames(certificate));
      route(app.domain(serverName), config, link);
    };
    for (const certificate of others) {
      for (const serverName of certificate.serverNames) add(serverName, certificate);
    }
    if (others.length > 0) matchServerNamesInCapitals(app, others, add);
    return app;
  }

  /** Adds our handlers to an app, or to one of its server names, each of which has routes of its own in uWS. */
  #route(app: TemplatedApp): TemplatedApp {
    return route(app, this.#config, this.#link);
  }

  /** uWS has accepted a connection, or lost one. uWS tells no descriptor. */
  connectionChanged(response: HttpResponse | null, change: number): void {
    if (response === null || change < 0) this.#owner.connectionClosed();
    else if (this.#owner.connectionOpened()) this.#watchForRequest(response);
    else response.close();
  }

  /**
   * Counts the connection if it ends without a request. uWS answers malformed heads by itself and tells nothing of
   * failed TLS handshakes (20.66 to 20.68), but it calls `onAborted` of any connection that closes, and the first request
   * replaces that handler. An engine of our own ends the need, and can tell the reasons apart.
   */
  #watchForRequest(response: HttpResponse): void {
    const openedAt = performance.now();
    const owner = this.#owner;
    // The address is gone when the connection is.
    const peer = owner.logsUnused ? formatIp(new Uint8Array(response.getRemoteAddress())) : null;
    response.onAborted(() => {
      const age = performance.now() - openedAt;
      owner.connectionUnused(age < MIN_SILENCE_MS ? 'ended' : 'silent', peer, age / 1000);
    });
  }

  /** Every request comes through here; `context` is there where uWS would let it become a WebSocket. */
  serve(response: HttpResponse, request: HttpRequest, context: us_socket_context_t | null): void {
    const head = readHead(request);
    const body = hasBody(head) ? new UwsRequestBody(response) : null;
    const stopReading = (): void => {
      body?.close();
      response.pause();
    };
    // uWS takes more than RFC 9112 for chunks, and trailers for the next request: nobody knows where they end.
    const isLast = headerOf(head, 'transfer-encoding') !== undefined;
    const { dispatcher } = this.#owner;
    const peer = formatIp(new Uint8Array(response.getRemoteAddress()));
    const client = dispatcher.identify(head, peer);
    const isHead = head.method === 'HEAD';
    const reply = new UwsReply(response, client.requestId, isHead, this.#later, stopReading, isLast);
    const exchange: Exchange = {
      head,
      body,
      peer,
      connection: response,
      client,
      reply,
      startedAt: performance.now(),
      inFlight: null,
      upgrade: (upgrade) => this.#upgradeReply(response, reply, head, upgrade, context),
    };
    reply.onOver((gone) => {
      dispatcher.over(exchange);
      if (gone) body?.abandon();
      else body?.close();
    });
    dispatcher.dispatch(exchange);
  }

  #upgradeReply(
    response: HttpResponse,
    reply: UwsReply,
    head: RequestHead,
    upgrade: UpgradeRequest,
    context: us_socket_context_t | null,
  ): UpgradeReply {
    const { compression } = this.#config.websocket;
    const offers = compression === 'off' ? undefined : joinedHeaderOf(head, 'sec-websocket-extensions');
    const extensions = chooseDeflateOffer(offers);
    return {
      accept: (session: Session, subprotocol: string, headers: HeaderList) => {
        // Cannot be: a request whose key is right has come by the WebSocket route.
        if (context === null) throw new Error('upgrade without a context');
        const socket = makeWebSocket(response, reply, session, headers, {
          key: upgrade.key,
          subprotocol,
          extensions,
          context,
        });
        if (socket === null) return false;
        session.attach(socket);
        return true;
      },
      http: reply,
    };
  }
}

function receiveMessage(socket: WebSocket<SocketData>, data: ArrayBuffer, binary: boolean): void {
  (socket as Socket).session.clientMessage(data, binary);
}

function countControl(socket: WebSocket<SocketData>, data: ArrayBuffer): void {
  (socket as Socket).session.clientControl(data.byteLength);
}

/** Checks what waits: uWS has put a pong behind it, without a limit of its own. */
function receivePing(socket: WebSocket<SocketData>, data: ArrayBuffer): void {
  countControl(socket, data);
  (socket as Socket).session.clientPinged();
}

/** Not a method: the handlers must know nothing but the link. */
function route(app: TemplatedApp, { websocket }: L7ListenerConfig, link: Link): TemplatedApp {
  const behavior: WebSocketBehavior<SocketData> = {
    maxPayloadLength: websocket.maxMessageSize,
    // Bounded by the session, which pauses the endpoint: uWS would drop messages.
    maxBackpressure: 0,
    idleTimeout: Math.ceil(websocket.idleTimeoutMs / 1000),
    sendPingsAutomatically: websocket.idleTimeoutMs > 0,
    compression: compressionOptions(websocket.compression),
    upgrade: (response, request, context) => link.listener?.serve(response, request, context),
    open: noteMade,
    message: receiveMessage,
    ping: receivePing,
    pong: countControl,
    drain: (socket) => (socket as Socket).session.clientDrained(),
    close: (socket, code, reason) => {
      // The filter hears nothing more of a connection that has become a WebSocket.
      link.listener?.connectionChanged(null, -1);
      forgetMade(socket);
      (socket as Socket).session.clientClosed(code, reason);
    },
  };
  app.any('/*', (response, request) => link.listener?.serve(response, request, null));
  app.ws('/*', behavior);
  return app;
}

function readHead(request: HttpRequest): RequestHead {
  const headers: string[] = [];
  request.forEach((name, value) => {
    headers.push(name, value);
  });
  return {
    method: request.getCaseSensitiveMethod(),
    path: request.getUrl(),
    query: request.getQuery() ?? '',
    headers,
  };
}

/** uWS does not say so itself where the length is 0. */
function hasBody(head: RequestHead): boolean {
  return (
    headerOf(head, 'transfer-encoding') !== undefined || Number(headerOf(head, 'content-length') ?? 0) > 0
  );
}

/** What is fixed when uWS is set up. */
function fixedSettings({ address, tls, websocket }: L7ListenerConfig): unknown {
  const { maxMessageSize, idleTimeoutMs, compression } = websocket;
  return { address, tls, maxMessageSize, idleTimeoutMs, compression };
}

function fileNames(certificate: Certificate): { cert_file_name: string; key_file_name: string } {
  return { cert_file_name: certificate.cert, key_file_name: certificate.key };
}

function compressionOptions(compression: Compression): CompressOptions {
  switch (compression) {
    case 'off':
      return 0;
    case 'shared':
      return SHARED_COMPRESSOR | SHARED_DECOMPRESSOR;
  }
}
