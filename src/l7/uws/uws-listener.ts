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
import { makeWebSocket } from './uws-upgrade.ts';

/**
 * Min age at which uWS closes a connection without a request: it counts 10 s by timers of 4 s, which are 8.4 to 12 s as
 * measured (20.66 to 20.68, uWebSockets#1242). This can go when uWS says why a connection has ended.
 */
const MIN_SILENCE_MS = 8000;

/** What the listeners of one engine share. */
export interface UwsTerms {
  readonly engine: ExchangeEngine;
  readonly log: Logger;
  /** Calls back once, when uWS has handed over all bytes that it has read. Clients may be written to from there. */
  readonly later: (callback: () => void) => void;
  readonly unfinished: UnfinishedMessages;
  /** Null without system calls: uWS accepts connections itself then. */
  readonly accepting: Accepting | null;
}

/** What listeners need to accept connections by system calls. */
interface Accepting {
  readonly loop: EventLoop;
  readonly sockets: ClientSockets;
  readonly lingering: LingeringConnections;
}

/** One layer 7 listener on an App of uWebSockets.js. */
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
    if (tls === null) this.#log.info({ listener }, 'a client that uploads fast may fill memory');
    else this.#log.warn({ listener }, 'a client that sends fast may lose its connection');
  }

  get listens(): boolean {
    return this.#acceptor.listens;
  }

  leave(from: number | null): void {
    this.#acceptor.leave(from);
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
   * Gives uWS a connection. uWS has no bound for the connections that it accepts itself, and when no descriptor is left it
   * tries again at once and for ever (20.66 to 20.68; no upstream issue known). It tells no descriptor, either.
   */
  accepted(fd: number): void {
    const { loop, sockets, lingering } = this.#accepting!;
    if (!this.#owner.connectionOpened(fd)) {
      loop.sockets.close(fd);
      this.#owner.connectionClosed();
      return;
    }
    // The descriptor is uWS's from now on.
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
   * Tells the owner if the connection ends without a request. uWS answers malformed heads by itself and tells nothing of
   * failed TLS handshakes (20.66 to 20.68), but it calls `onAborted` of any connection that closes, and the first request
   * replaces that handler. No upstream issue known. This can go when uWS reports refused heads and failed handshakes.
   */
  #watchForRequest(response: HttpResponse): void {
    const openedAt = performance.now();
    const owner = this.#owner;
    // A closed connection tells no address.
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
    // uWS takes more than RFC 9112 for chunks, and trailers for the next request (uWebSockets#1936): the request's end is
    // unknown. A strict parser for chunks ends the need.
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
      // uWS tells no port of the client's (20.66 to 20.68).
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
        // Cannot happen: requests with a valid key come by the WebSocket route.
        if (context === null) throw new Error('upgrade without a context');
        // The engine's relay makes sessions of whole messages only.
        const client = new UwsClient(this.#clientTerms, session as RelaySession & DownstreamOwner);
        const socket = makeWebSocket(response, reply, client, headers, {
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

/** Copies the head. uWS reads it as UTF-8. */
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
 * Whether a body follows the head, by its framing headers. uWS does not tell (20.66 to 20.68; no upstream issue known).
 * This can go when it does.
 */
function hasBody(head: RequestHead): boolean {
  return (
    headerOf(head, 'transfer-encoding') !== undefined || Number(headerOf(head, 'content-length') ?? 0) > 0
  );
}
