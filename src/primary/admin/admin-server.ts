import { once } from 'node:events';
import { STATUS_CODES, createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TcpAddress } from '../../core/address.ts';
import type { DescriptorPlan } from '../../core/descriptor-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { networkOf } from '../../wire/ip-address.ts';
import { listenError } from '../process/listen-error.ts';
import { jsonAnswer, type Answer } from './admin-answer.ts';
import { AdminConnections, type AdminConnection } from './admin-connections.ts';
import { AdminRefusals } from './admin-refusals.ts';
import { AdminRouter } from './admin-router.ts';
import type { AdminRefusal, AdminStats } from './admin-stats.ts';
import type { AdminView } from './admin-view.ts';
import { writeAnswer } from './answer-writer.ts';
import { LiveFeed } from './live/live-feed.ts';
import { PageDroppedError } from './pages/page-body.ts';

/** Time limits for clients, in milliseconds. */
interface AdminTimings {
  /** Max time for a head, from the start of the connection or the first byte of the request. */
  readonly headMs: number;
  /** Max time for a request with its body. */
  readonly requestMs: number;
  /** Max time to receive an answer, or the next 64 KiB of a page. */
  readonly answerMs: number;
  /** Max time between an answer and the next request. */
  readonly keepAliveMs: number;
  /** Interval between checks of these limits. */
  readonly checkMs: number;
}

interface AdminOptions {
  readonly timings?: AdminTimings;
  /** How the process divides its descriptors; null for no limit. */
  readonly descriptorPlan?: DescriptorPlan | null;
}

/** Max bytes of the request line and all headers. */
const MAX_HEAD_BYTES = 8 * 1024;
/** Max bytes of a body. No request needs one, but clients may send one. It is read and dropped. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_CONNECTIONS = 128;
const MAX_CONNECTIONS_PER_ADDRESS = 32;
/**
 * Max fraction of connections for readers of `/live`, which stay open. The rest is for health probes and
 * commands.
 */
const MAX_LIVE_SHARE = 0.5;
/** Max readers of `/live` per address. */
const MAX_LIVE_PER_ADDRESS = 24;
const TIMINGS: AdminTimings = {
  headMs: 5000,
  requestMs: 10_000,
  answerMs: 10_000,
  keepAliveMs: 5000,
  checkMs: 1000,
};

/** Answers any expectation other than `100-continue` (RFC 9110 section 10.1.1). */
const EXPECTATION_FAILED = jsonAnswer(417, 'only the expectation 100-continue is supported: omit Expect');

/**
 * Serves the admin API over HTTP: connections, time limits and bodies. {@link AdminRouter} has the answers.
 */
export class AdminServer {
  readonly #server: Server;
  readonly #stats: AdminStats;
  readonly #refusals: AdminRefusals;
  readonly #router: AdminRouter;
  readonly #timings: AdminTimings;
  readonly #connections: AdminConnections;
  readonly #bySocket = new WeakMap<Duplex, AdminConnection>();
  readonly #pipelining = new WeakSet<Duplex>();
  /** Sockets with an answer that continues until they close. */
  readonly #streaming = new WeakSet<Duplex>();
  #check: NodeJS.Timeout | undefined;

  constructor(
    view: AdminView,
    stats: AdminStats,
    log: Logger,
    { timings = TIMINGS, descriptorPlan = null }: AdminOptions = {},
  ) {
    this.#timings = timings;
    this.#stats = stats;
    const refusals = (this.#refusals = new AdminRefusals(stats, log));
    const maxConnections = maxConnectionsOf(descriptorPlan);
    const live = (stats.live = new LiveFeed({
      write: view.live,
      maxReaders: Math.floor(maxConnections * MAX_LIVE_SHARE),
      maxPerAddress: MAX_LIVE_PER_ADDRESS,
      onError: (error) => refusals.logLimited('error', { err: error }, 'live frame failed'),
    }));
    this.#router = new AdminRouter(view, refusals, live, log);
    this.#connections = new AdminConnections({
      maxConnections,
      maxPerAddress: MAX_CONNECTIONS_PER_ADDRESS,
      answerTimeoutMs: timings.answerMs,
      now: () => performance.now(),
      onClose: (reason, address) => {
        stats.countClosed(reason);
        refusals.logLimited('warn', { reason, address }, 'admin connection closed');
      },
    });
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEAD_BYTES,
        headersTimeout: timings.headMs,
        requestTimeout: timings.requestMs,
        connectionsCheckingInterval: timings.checkMs,
        keepAliveTimeout: timings.keepAliveMs,
        // The router refuses requests without Host. Node would neither count them nor give a reason.
        requireHostHeader: false,
      },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.on('connection', (socket: Socket) => this.#accept(socket));
    // Without this handler, Node answers 417 with an empty body.
    this.#server.on(
      'checkExpectation',
      (request, response) => void this.#handle(request, response, EXPECTATION_FAILED),
    );
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#hangUp(error, socket));
  }

  /** Listens. Resolves with the address and its actual port. @throws StartError if it cannot listen */
  async listen(address: TcpAddress): Promise<TcpAddress> {
    try {
      this.#server.listen(listenOptions(address));
      await once(this.#server, 'listening');
    } catch (error) {
      throw listenError('the admin server', 'admin.address', address, error);
    }
    this.#server.on('error', (error) =>
      this.#refusals.logLimited('error', { err: error }, 'admin server failed'),
    );
    this.#check = setInterval(() => this.#connections.expire(), this.#timings.checkMs).unref();
    const bound = this.#server.address() as AddressInfo;
    return { kind: 'tcp', host: bound.address, port: bound.port };
  }

  /** Stops listening and closes all connections. */
  async close(): Promise<void> {
    clearInterval(this.#check);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #accept(socket: Socket): void {
    const connection = this.#connections.add(networkOf(socket.remoteAddress ?? ''), {
      // After a plain FIN, an HTTP/1.0 client would take an incomplete page for the whole page.
      close: (inAnswer) => {
        if (inAnswer) socket.resetAndDestroy();
        else socket.destroy();
      },
    });
    this.#bySocket.set(socket, connection);
    this.#stats.connections = this.#connections.size;
    socket.once('close', () => {
      connection.remove();
      this.#stats.connections = this.#connections.size;
    });
  }

  /** @param refusal replaces the router's answer */
  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Answer | null = null,
  ): Promise<void> {
    const { socket } = request;
    const connection = this.#bySocket.get(socket);
    if (connection === undefined || connection.busy) {
      this.#refusePipelining(socket);
      return;
    }
    connection.begin();
    response.once('finish', () => {
      connection.end();
      if (this.#pipelining.has(socket)) socket.destroySoon();
    });
    let answer: Answer;
    try {
      answer = this.#refuseBody(request) ?? refusal ?? (await this.#router.answer(request));
    } catch (error) {
      this.#refusals.logLimited('error', { err: error }, 'admin request failed');
      answer = jsonAnswer(500, 'internal error: see the log');
    }
    const isStream = typeof answer.body !== 'string' && 'begin' in answer.body;
    if (isStream && request.method !== 'HEAD') {
      this.#streaming.add(socket);
      if (this.#pipelining.has(socket)) socket.destroy();
    }
    try {
      await writeAnswer(answer, response, connection);
    } catch (error) {
      this.#cut(socket, connection, error);
    }
  }

  /** Ends a connection in the middle of its answer. */
  #cut(socket: Socket, connection: AdminConnection, error: unknown): void {
    if (error instanceof PageDroppedError && error.cause === undefined) {
      this.#connections.close(connection, 'page_memory');
      return;
    }
    this.#refusals.logLimited('error', { err: error }, 'admin request failed');
    socket.resetAndDestroy();
  }

  /**
   * Closes the connection after its first answer, without answering the other requests (RFC 9112 section
   * 9.6). One read can bring a thousand requests. For a client that reads nothing, their answers would pile
   * up in memory. A stream has no end, so it is cut.
   */
  #refusePipelining(socket: Duplex): void {
    if (this.#pipelining.has(socket)) return;
    this.#pipelining.add(socket);
    this.#stats.countClosed('pipelining');
    if (this.#streaming.has(socket)) socket.destroy();
  }

  /** Reads and drops the body. Refuses a large body. */
  #refuseBody(request: IncomingMessage): Answer | null {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      request.resume();
      const headers = { Connection: 'close' };
      return this.#refusals.refuse(request, 'too_large', 413, 'the body is too large: send none', headers);
    }
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) return;
      this.#stats.countRefused('too_large');
      request.socket.destroy();
    });
    return null;
  }

  /** Answers a head that is malformed, too large or too slow, and closes the connection. */
  #hangUp(error: NodeJS.ErrnoException, socket: Duplex): void {
    socket.on('error', () => socket.destroy());
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const { reason, status, message } = HANG_UPS.get(error.code ?? '') ?? MALFORMED;
    this.#stats.countRefused(reason);
    // During an answer, the client would take a second answer for the rest of the first.
    const busy = this.#bySocket.get(socket)?.busy === true;
    socket.end(busy ? '' : lastAnswer(status, message), () => socket.destroy());
  }
}

/** Formats a complete last answer of a connection. */
function lastAnswer(status: number, message: string): string {
  const { type, body } = jsonAnswer(status, message);
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: ${type}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

interface HangUp {
  readonly reason: AdminRefusal;
  readonly status: number;
  readonly message: string;
}

const MALFORMED: HangUp = { reason: 'malformed', status: 400, message: 'the request is not valid HTTP' };
/** By the code of Node's error. */
const HANG_UPS: ReadonlyMap<string, HangUp> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    { reason: 'too_large', status: 431, message: `the head is longer than ${MAX_HEAD_BYTES} bytes` },
  ],
  ['ERR_HTTP_REQUEST_TIMEOUT', { reason: 'timeout', status: 408, message: 'the request took too long' }],
]);

/**
 * Returns the max connections: at most half of the reserved descriptors. The other half is for probes and
 * lookups.
 */
function maxConnectionsOf(plan: DescriptorPlan | null): number {
  return plan === null
    ? MAX_CONNECTIONS
    : Math.min(MAX_CONNECTIONS, Math.floor((plan.limit - plan.ceiling) / 2));
}

/** Omits the host to bind all interfaces: on machines without IPv6, Node then binds IPv4 only. */
function listenOptions({ host, port }: TcpAddress): { host?: string; port: number } {
  return host === '::' ? { port } : { host, port };
}
