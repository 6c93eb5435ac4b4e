import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TcpAddress } from '../../core/address.ts';
import type { DescriptorPlan } from '../../core/descriptor-limit.ts';
import { parseDuration } from '../../core/units/duration.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ExpositionBody, ExpositionFormat } from '../../telemetry/prometheus.ts';
import { preferredFormat } from '../../telemetry/prometheus.ts';
import { listenError } from '../process/listen-error.ts';
import { listenOptions } from '../process/listen-options.ts';
import type { Harm } from '../workers/supervisor.ts';
import { CommandTable, type AdminCommand, type CommandCall } from './admin-command.ts';
import type { AdminRefusal, AdminStats } from './admin-stats.ts';
import { BearerToken } from './bearer-token.ts';
import { ConnectionPool, poolAddress, type PooledConnection } from './connection-pool.ts';
import { parseTarget, refuseForeign } from './host-rules.ts';
import { PageBody } from './page-body.ts';
import { SharedRendering } from './shared-rendering.ts';

/** What the admin server shows. */
export interface AdminView {
  readonly metrics: (format: ExpositionFormat) => Promise<ExpositionBody>;
  /** Why only a new process can help; null where this one goes on. */
  readonly notLive: () => string | null;
  /** Why no traffic should come here; null where it should. */
  readonly notReady: () => string | null;
  readonly status: () => object;
  /** What may be asked for by POST, and what a request must show for it; without a token nothing may. */
  readonly commands: readonly AdminCommand[];
  readonly token: string | null;
  /** Host names in lower case that requests may name, beside IP addresses and `localhost`. */
  readonly hosts: readonly string[];
  /** Makes a worker throw or freeze. False if no worker has that name; null if faults are not enabled. */
  readonly harm: ((worker: string, harm: Harm) => boolean) | null;
}

/** How long clients may take, in milliseconds. */
interface AdminTimings {
  /** For a head, from the beginning of the connection or the first byte of the request. */
  readonly headMs: number;
  /** For a request with its body. */
  readonly requestMs: number;
  /** For taking an answer. */
  readonly answerMs: number;
  /** For another request. */
  readonly keepAliveMs: number;
  /** The period in which the other times are checked. */
  readonly checkMs: number;
}

interface AdminOptions {
  readonly timings?: AdminTimings;
  /** How the process divides its descriptors; null for no limit. */
  readonly descriptorPlan?: DescriptorPlan | null;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

type Page = (request: IncomingMessage) => Answer | Promise<Answer>;

const TEXT_TYPE = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
/** Of the request line and all headers. */
const MAX_HEAD_BYTES = 8 * 1024;
/** No request has a use for a body, but clients may send one: it is read and dropped. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_CONNECTIONS = 128;
const MAX_CONNECTIONS_PER_ADDRESS = 32;
const TIMINGS: AdminTimings = {
  headMs: 5000,
  requestMs: 10_000,
  answerMs: 10_000,
  keepAliveMs: 5000,
  checkMs: 1000,
};
const METRICS_PERIOD_MS = 1000;
/** Each rendering of the status begins after the requests that it answers. */
const STATUS_PERIOD_MS = 100;
const HARM_PATH = /^\/debug\/workers\/([\w-]+)\/(fault|freeze)$/;
const FREEZE_MS = 30_000;
const MAX_FREEZE_MS = 600_000;

/** The HTTP server for operators and their monitoring: metrics, health and status, and commands. */
export class AdminServer {
  readonly #server: Server;
  readonly #view: AdminView;
  readonly #stats: AdminStats;
  readonly #log: Logger;
  readonly #timings: AdminTimings;
  /** By message: lines that clients can bring about. */
  readonly #lineLimits = new Map<string, LineLimit>();
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #commands: CommandTable;
  readonly #pool: ConnectionPool;
  readonly #connections = new WeakMap<Duplex, PooledConnection>();
  readonly #pipelining = new WeakSet<Duplex>();
  readonly #metrics: Readonly<Record<ExpositionFormat, SharedRendering<PageBody>>>;
  readonly #status: SharedRendering<PageBody>;
  #check: NodeJS.Timeout | undefined;
  /** Of the token that was asked for last: a reload may bring another. */
  #token: { readonly text: string; readonly bearer: BearerToken } | null = null;

  constructor(
    view: AdminView,
    stats: AdminStats,
    log: Logger,
    { timings = TIMINGS, descriptorPlan = null }: AdminOptions = {},
  ) {
    this.#timings = timings;
    this.#view = view;
    this.#stats = stats;
    this.#log = log;
    this.#commands = new CommandTable(view.commands);
    this.#metrics = { text: this.#metricsIn('text'), openMetrics: this.#metricsIn('openMetrics') };
    this.#status = new SharedRendering(() => new PageBody(JSON_TYPE, jsonText(view.status())), {
      periodMs: STATUS_PERIOD_MS,
    });
    this.#pages = new Map<string, Page>([
      ['/metrics', (request) => this.#answerMetrics(request)],
      ['/livez', () => health(view.notLive())],
      ['/readyz', () => health(view.notReady())],
      ['/status', async (request) => encoded(await this.#status.fresh(), request)],
    ]);
    this.#pool = new ConnectionPool({
      maxConnections: maxConnectionsOf(descriptorPlan),
      maxPerAddress: MAX_CONNECTIONS_PER_ADDRESS,
      answerTimeoutMs: timings.answerMs,
      now: () => performance.now(),
      onClose: (reason, address) => {
        stats.countClosed(reason);
        this.#logLimited('warn', { reason, address }, 'admin connection closed');
      },
    });
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEAD_BYTES,
        headersTimeout: timings.headMs,
        requestTimeout: timings.requestMs,
        connectionsCheckingInterval: timings.checkMs,
        keepAliveTimeout: timings.keepAliveMs,
        // Answered here, so that it is counted and says what to do.
        requireHostHeader: false,
      },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.on('connection', (socket: Socket) => this.#accept(socket));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#hangUp(error, socket));
  }

  /** Listens; returns the address with the port that it got, rejects with a StartError. */
  async listen(address: TcpAddress): Promise<TcpAddress> {
    try {
      this.#server.listen(listenOptions(address));
      await once(this.#server, 'listening');
    } catch (error) {
      throw listenError('the admin server', address, error);
    }
    this.#server.on('error', (error) => this.#logLimited('error', { err: error }, 'admin server failed'));
    this.#check = setInterval(() => this.#pool.expire(), this.#timings.checkMs).unref();
    const bound = this.#server.address() as AddressInfo;
    return { kind: 'tcp', host: bound.address, port: bound.port };
  }

  /** Stops listening and cuts what is open. */
  async close(): Promise<void> {
    clearInterval(this.#check);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #accept(socket: Socket): void {
    const connection = this.#pool.add(poolAddress(socket.remoteAddress ?? ''), {
      close: () => socket.destroy(),
    });
    this.#connections.set(socket, connection);
    this.#stats.connections = this.#pool.size;
    socket.once('close', () => {
      connection.remove();
      this.#stats.connections = this.#pool.size;
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const connection = this.#connections.get(socket);
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
      answer = this.#refuseBody(request) ?? this.#refuseForeign(request) ?? (await this.#answer(request));
    } catch (error) {
      this.#logLimited('error', { err: error }, 'admin request failed');
      answer = text(500, 'internal error');
    }
    response.writeHead(answer.status, {
      'Content-Type': answer.type,
      'Content-Length': Buffer.byteLength(answer.body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...answer.headers,
    });
    // Before the end, after which the connection may be idle.
    connection.answered();
    response.end(answer.body);
  }

  /**
   * Has a connection closed when its first answer is out, and leaves the other requests unanswered (RFC 9112 section
   * 9.6). One read brings a thousand of them, whose answers would wait in memory for a client that takes none.
   */
  #refusePipelining(socket: Duplex): void {
    if (this.#pipelining.has(socket)) return;
    this.#pipelining.add(socket);
    this.#stats.countClosed('pipelining');
  }

  /** Reads the body and drops it; refuses a large one. */
  #refuseBody(request: IncomingMessage): Answer | null {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      request.resume();
      const headers = { Connection: 'close' };
      return { ...this.#refuse(request, 'too_large', 413, 'the body is too large: send none'), headers };
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

  #refuseForeign(request: IncomingMessage): Answer | null {
    const { httpVersion, url = '/', headersDistinct } = request;
    const asked = {
      httpVersion,
      target: parseTarget(url),
      hosts: headersDistinct.host ?? [],
      origins: headersDistinct.origin ?? [],
    };
    const refusal = refuseForeign(asked, this.#view.hosts);
    return refusal === null ? null : this.#refuse(request, refusal.reason, refusal.status, refusal.body);
  }

  #answer(request: IncomingMessage): Answer | Promise<Answer> {
    const { method = '', url = '/' } = request;
    const { path, query } = parseTarget(url);
    const harmful = HARM_PATH.exec(path);
    if (harmful !== null && this.#view.harm !== null) {
      const [, worker = '', type] = harmful;
      if (method !== 'POST') return notAllowed('POST');
      const harm = type === 'fault' ? ({ type: 'fault' } as const) : freezeOf(query);
      if (harm === null) return text(400, 'for: write a number and a unit, such as 30s, up to 10m');
      return this.#view.harm(worker, harm) ? text(202, 'told') : text(404, `no worker ${worker}`);
    }
    const page = this.#pages.get(path);
    if (page !== undefined) {
      return method === 'GET' || method === 'HEAD' ? page(request) : notAllowed('GET, HEAD');
    }
    const call = this.#commands.find(path);
    if (call === null) {
      const commands = this.#commands.paths.map((command) => `POST ${command}`);
      return text(404, ['not found; there is:', ...this.#pages.keys(), ...commands].join('\n'));
    }
    if (method !== 'POST') return notAllowed('POST');
    return this.#refuseWithoutToken(request) ?? this.#run(call, query);
  }

  #refuseWithoutToken(request: IncomingMessage): Answer | null {
    const { token } = this.#view;
    if (token === null) {
      const body = 'changes are refused: no admin.token is set (in the file, or as SLUICE_ADMIN_TOKEN)';
      return this.#refuse(request, 'no_token', 403, body);
    }
    if (this.#token?.text !== token) this.#token = { text: token, bearer: new BearerToken(token) };
    if (this.#token.bearer.admits(request.headers.authorization)) return null;
    const body = 'changes need the token: send "Authorization: Bearer TOKEN" with the value of admin.token';
    const headers = { 'WWW-Authenticate': 'Bearer realm="sluice"' };
    return { ...this.#refuse(request, 'bad_token', 401, body), headers };
  }

  #refuse({ socket }: IncomingMessage, reason: AdminRefusal, status: number, body: string): Answer {
    this.#stats.countRefused(reason);
    this.#logLimited('warn', { reason, client: socket.remoteAddress }, 'admin request refused');
    return text(status, body);
  }

  /** @param message a constant: each message has a limit of its own */
  #logLimited(level: 'warn' | 'error', fields: object, message: string): void {
    let limit = this.#lineLimits.get(message);
    if (limit === undefined) this.#lineLimits.set(message, (limit = new LineLimit()));
    const more = limit.take();
    if (more !== null) this.#log[level]({ ...fields, ...more }, message);
  }

  async #run({ command, args }: CommandCall, query: string): Promise<Answer> {
    const { status, body } = await command.run(args, new URLSearchParams(query));
    this.#log.info({ command: command.path, args, status }, 'admin command');
    return typeof body === 'string' ? text(status, body) : { status, type: JSON_TYPE, body: jsonText(body) };
  }

  #metricsIn(format: ExpositionFormat): SharedRendering<PageBody> {
    const render = async (): Promise<PageBody> => {
      const { contentType, body } = await this.#view.metrics(format);
      return new PageBody(contentType, body);
    };
    return new SharedRendering(render, { periodMs: METRICS_PERIOD_MS });
  }

  async #answerMetrics(request: IncomingMessage): Promise<Answer> {
    const { accept = '', 'cache-control': cacheControl = '' } = request.headers;
    const rendering = this.#metrics[preferredFormat(accept)];
    const page = await (wantsFresh(cacheControl) ? rendering.fresh() : rendering.recent());
    return encoded(page, request, ['Accept']);
  }

  /** Answers what is no HTTP request, or a slow one, or one with too much in its head, and hangs up. */
  #hangUp(error: NodeJS.ErrnoException, socket: Duplex): void {
    socket.on('error', () => socket.destroy());
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [reason, status] = HANG_UPS.get(error.code ?? '') ?? (['malformed', '400 Bad Request'] as const);
    this.#stats.countRefused(reason);
    // An answer that is on its way must not be followed by another one.
    const busy = this.#connections.get(socket)?.busy === true;
    const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
    socket.end(busy ? '' : head, () => socket.destroy());
  }
}

const HANG_UPS: ReadonlyMap<string, readonly [AdminRefusal, string]> = new Map([
  ['HPE_HEADER_OVERFLOW', ['too_large', '431 Request Header Fields Too Large']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['timeout', '408 Request Timeout']],
]);

/** Returns the max connections: at most half of the reserve, so that probes and name lookups have the other half. */
function maxConnectionsOf(plan: DescriptorPlan | null): number {
  return plan === null
    ? MAX_CONNECTIONS
    : Math.min(MAX_CONNECTIONS, Math.floor((plan.limit - plan.ceiling) / 2));
}

function health(problem: string | null): Answer {
  return problem === null ? text(200, 'ok') : text(503, problem);
}

/** For how long `for=30s` freezes a worker; null where it cannot be read. */
function freezeOf(query: string): Harm | null {
  const duration = new URLSearchParams(query).get('for');
  const forMs = duration === null ? FREEZE_MS : parseDuration(duration);
  return forMs === undefined || forMs > MAX_FREEZE_MS ? null : { type: 'freeze', forMs };
}

function text(status: number, body: string): Answer {
  return { status, type: TEXT_TYPE, body: `${body}\n` };
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function encoded(
  page: PageBody,
  request: IncomingMessage,
  vary: readonly string[] = [],
): Promise<Answer> {
  const { bytes, encoding } = await page.encode(request.headers['accept-encoding'] ?? '');
  const headers = {
    Vary: [...vary, 'Accept-Encoding'].join(', '),
    ...(encoding !== null && { 'Content-Encoding': encoding }),
  };
  return { status: 200, type: page.type, body: bytes, headers };
}

/** Tells whether a Cache-Control header asks for a page that is rendered after the request (RFC 9111, 5.2.1). */
function wantsFresh(cacheControl: string): boolean {
  return cacheControl
    .split(',')
    .some((directive) => /^\s*(?:no-cache|max-age\s*=\s*"?0+"?)\s*$/i.test(directive));
}

function notAllowed(allow: string): Answer {
  return { ...text(405, `only ${allow}`), headers: { Allow: allow } };
}
