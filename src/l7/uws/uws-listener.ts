import { isDeepStrictEqual } from 'node:util';
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from 'uWebSockets.js';
import type { L7Listener } from '../../config/types/listener.ts';
import { isAnyHost } from '../../core/address.ts';
import { toByteText } from '../../core/byte-text.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import { noteClosing } from '../../sys/descriptors/descriptor-table.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Acceptor, AcceptorOwner } from '../../transport/acceptor.ts';
import { RawAcceptor } from '../../transport/raw/raw-acceptor.ts';
import { headerOf, joinedHeaderOf, type RequestHead } from '../../wire/http/request-head.ts';
import { formatIp } from '../../wire/ip-address.ts';
import type { UpgradeRequest } from '../../wire/upgrade/upgrade-request.ts';
import type { DownstreamOwner } from '../contract/downstream-socket.ts';
import type { EngineListener, ListenerOwner } from '../contract/engine.ts';
import type { Exchange, ExchangeEngine } from '../contract/exchange.ts';
import type { HeaderList } from '../contract/http-reply.ts';
import type { RelaySession } from '../contract/relay.ts';
import type { UpgradeReply } from '../contract/upgrade-reply.ts';
import { AppAcceptor } from './app/app-acceptor.ts';
import { limitClientBuffers } from './app/client-buffers.ts';
import { createApp, fixedSettings, type AppLink } from './app/uws-app.ts';
import { certificateOf, refuseWithoutCertificate } from './client-certificates.ts';
import type { ClientSockets } from './clients/client-sockets.ts';
import type { LingeringConnections } from './clients/lingering-connections.ts';
import { OpenConnections } from './clients/open-connections.ts';
import { chooseDeflateOffer } from './deflate-offer.ts';
import { MessageMemory, releaseMessage } from './message-memory.ts';
import { UwsReply } from './reply/uws-reply.ts';
import type { UnfinishedMessages } from './unfinished/unfinished-messages.ts';
import { UwsClient, type ClientTerms } from './uws-client.ts';
import { UwsRequestBody } from './uws-request-body.ts';
import { createWebSocket } from './uws-upgrade.ts';

/**
 * Min age at which uWS closes a connection without a request. uWS counts 10 s with timers of 4 s: 8.4 to 12 s
 * were measured (20.66 to 20.68, uWebSockets#1242). Needed until uWS reports why a connection ended.
 */
const MIN_SILENCE_MS = 8000;

/** State that the listeners of one engine share. */
export interface UwsTerms {
  readonly engine: ExchangeEngine;
  readonly log: Logger;
  /**
   * Calls back once, after uWS has delivered all bytes that it has read. The callback may write to clients.
   */
  readonly later: (callback: () => void) => void;
  readonly unfinished: UnfinishedMessages;
  /** Null without system calls: uWS then accepts connections itself. */
  readonly accepting: Accepting | null;
}

/** Resources for accepting connections by system calls. */
interface Accepting {
  readonly loop: EventLoop;
  readonly sockets: ClientSockets;
  readonly lingering: LingeringConnections;
}

/** One layer 7 listener on a uWebSockets.js App. */
export class UwsListener implements EngineListener, AcceptorOwner<number> {
  #config: L7Listener;
  readonly #owner: ListenerOwner;
  readonly #engine: ExchangeEngine;
  readonly #later: UwsTerms['later'];
  readonly #clientTerms: ClientTerms;
  readonly #link: AppLink = { owner: this };
  readonly #log: Logger;
  readonly #app: TemplatedApp;
  readonly #accepting: Accepting | null;
  readonly #acceptor: Acceptor;
  readonly #open: OpenConnections;
  #closed = false;

  constructor(config: L7Listener, owner: ListenerOwner, terms: UwsTerms) {
    const { engine, log, later, unfinished, accepting } = terms;
    this.#config = config;
    this.#owner = owner;
    this.#engine = engine;
    this.#later = later;
    this.#log = log;
    this.#accepting = accepting;
    this.#open = new OpenConnections(() => owner.connectionClosed());
    const { maxMessageSize, compression } = config.websocket;
    this.#clientTerms = {
      wireTraits: { maxMessageSize, compressed: compression === 'shared', secure: config.tls !== null },
      unfinished,
      memory: new MessageMemory(releaseMessage),
    };
    this.#app = createApp(config, this.#link);
    this.#acceptor =
      accepting === null
        ? new AppAcceptor(this.#app, config.address)
        : new RawAcceptor(accepting.loop, config.address, this);
  }

  fits(config: L7Listener): boolean {
    return isDeepStrictEqual(fixedSettings(config), fixedSettings(this.#config));
  }

  prepare(config: L7Listener): () => void {
    return () => {
      this.#config = config;
    };
  }

  listen(): void {
    const acceptor = this.#acceptor;
    void acceptor.listen();
    if (acceptor instanceof RawAcceptor && limitClientBuffers(acceptor.fd)) return;
    const { name: listener, tls } = this.#config;
    if (tls === null)
      this.#log.info({ listener }, 'receive buffers not limited, fast uploads may fill memory');
    else this.#log.warn({ listener }, 'receive buffers not limited, fast clients may lose connections');
  }

  get listens(): boolean {
    return this.#acceptor.listens;
  }

  handOver(from: number | null): void {
    this.#acceptor.handOver(from);
  }

  stop(): void {
    this.#acceptor.stop();
  }

  close(): void {
    this.stop();
    if (this.#closed) return;
    this.#closed = true;
    this.#app.close();
    this.#link.owner = null;
    this.#accepting?.lingering.forget(this.#open);
  }

  /**
   * Passes a connection to uWS. If uWS accepted connections itself, it would have no connection limit, and no
   * access to descriptors. It would also retry at once, forever, when no descriptor is free (20.66 to 20.68,
   * no upstream issue known).
   */
  accepted(fd: number): void {
    const { loop, sockets, lingering } = this.#accepting!;
    if (!this.#owner.connectionOpened(fd)) {
      loop.sockets.close(fd);
      this.#owner.connectionClosed();
      return;
    }
    // The descriptor belongs to uWS from now on.
    noteClosing(fd);
    sockets.add(fd, this.#open);
    lingering.opened(fd, this.#open);
    this.#app.adoptSocket(fd);
    loop.yieldToNode();
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.#owner.acceptFailed(code, isFirst);
  }

  acceptFault(error: unknown): void {
    this.#owner.acceptFault(error);
  }

  connectionChanged(response: HttpResponse, change: number): void {
    if (change < 0) {
      this.#open.closed();
      return;
    }
    if (this.#accepting === null) {
      this.#open.served++;
      if (!this.#owner.connectionOpened()) {
        response.close();
        return;
      }
    }
    this.#watchForRequest(response);
  }

  webSocketEnded(isKept: boolean): void {
    if (isKept && this.#accepting !== null) this.#accepting.lingering.ended(this.#open);
    else this.#open.closed();
  }

  /**
   * Notifies the owner if the connection ends without a request.
   *
   * uWS answers malformed heads itself, and does not report failed TLS handshakes (20.66 to 20.68). But it
   * calls `onAborted` when any connection closes, and the first request replaces that handler. No upstream
   * issue known. Needed until uWS reports refused heads and failed handshakes.
   */
  #watchForRequest(response: HttpResponse): void {
    const openedAt = performance.now();
    const owner = this.#owner;
    // A closed connection has no address.
    const peer = owner.logsUnused ? formatIp(new Uint8Array(response.getRemoteAddress())) : null;
    response.onAborted(() => {
      const age = performance.now() - openedAt;
      owner.connectionUnused(age < MIN_SILENCE_MS ? 'ended' : 'silent', peer, age / 1000);
    });
  }

  serve(response: HttpResponse, request: HttpRequest, context: us_socket_context_t | null): void {
    const peer = formatIp(new Uint8Array(response.getRemoteAddress()));
    const clients = this.#config.tls?.clientCertificates ?? null;
    const certificate = clients === null ? null : certificateOf(response);
    if (clients?.isRequired === true && certificate === null) {
      const detail = 'the client has no certificate';
      this.#owner.connectionRejected({ reason: 'client_certificate', detail, peer, seconds: null });
      refuseWithoutCertificate(response);
      return;
    }
    const head = readHead(request);
    const body = hasBody(head) ? new UwsRequestBody(response) : null;
    const stopReading = (): void => {
      body?.close();
      response.pause();
    };
    // uWS accepts more chunk syntax than RFC 9112, and treats trailers as the next request
    // (uWebSockets#1936). So the end of the request is unknown. Needed until uWS parses chunks strictly.
    const isLast = headerOf(head, 'transfer-encoding') !== undefined;
    const { dispatcher } = this.#owner;
    const { address, tls } = this.#config;
    const facts = { peer, port: address.port, secure: tls !== null, certificate, vpcEndpointId: null };
    const client = dispatcher.identify(head, facts);
    const isHead = head.method === 'HEAD';
    const reply = new UwsReply(response, client.requestId, isHead, this.#later, stopReading, isLast);
    const exchange: Exchange = {
      head,
      body,
      peer,
      facts,
      engine: this.#engine,
      connection: response,
      client,
      reply,
      startedAt: performance.now(),
      // uWS does not expose the client's port (20.66 to 20.68).
      ends: () => ({
        source: { address: peer, port: 0 },
        destination: { address: isAnyHost(address.host) ? '' : address.host, port: address.port },
        serverName: null,
      }),
      inFlight: null,
      admission: null,
      awaitsUpgrade: false,
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
    const offers = compression !== 'shared' ? undefined : joinedHeaderOf(head, 'sec-websocket-extensions');
    const extensions = chooseDeflateOffer(offers);
    return {
      accept: (session: RelaySession, subprotocol: string, headers: HeaderList) => {
        // Cannot happen: requests with a valid key come through the WebSocket route.
        if (context === null) throw new Error('upgrade without a context');
        // All sessions of this engine's relay take whole messages.
        const client = new UwsClient(this.#clientTerms, session as RelaySession & DownstreamOwner);
        const socket = createWebSocket(response, reply, client, headers, {
          key: upgrade.key,
          subprotocol,
          extensions,
          context,
        });
        if (socket === null) return false;
        client.opened(socket);
        return true;
      },
      http: reply,
    };
  }
}

/** Copies the head, which uWS decodes as UTF-8. */
function readHead(request: HttpRequest): RequestHead {
  const headers: string[] = [];
  request.forEach((name, value) => {
    headers.push(name, toByteText(value));
  });
  return {
    method: request.getCaseSensitiveMethod(),
    path: toByteText(request.getUrl()),
    query: toByteText(request.getQuery() ?? ''),
    headers,
  };
}

/**
 * Whether the framing headers announce a body. uWS has no method for that (20.66 to 20.68, no upstream issue
 * known). Needed until it has.
 */
function hasBody(head: RequestHead): boolean {
  return (
    headerOf(head, 'transfer-encoding') !== undefined || Number(headerOf(head, 'content-length') ?? 0) > 0
  );
}
