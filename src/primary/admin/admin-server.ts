import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TcpAddress } from '../../core/address.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ExpositionBody } from '../../telemetry/prometheus.ts';
import { CommandTable, type AdminCommand, type CommandCall } from './admin-command.ts';
import { BearerToken } from './bearer-token.ts';
import { listenError } from '../listen-error.ts';
import { listenOptions } from '../listen-options.ts';

/** What the admin server shows. */
export interface AdminView {
  readonly metrics: (accept: string) => Promise<ExpositionBody>;
  /** Why no traffic should come here; null where it should. */
  readonly notReady: () => string | null;
  readonly status: () => object;
  /** What may be asked for by POST, and what a request must show for it; without a token nothing may. */
  readonly commands: readonly AdminCommand[];
  readonly token: string | null;
  /** Makes a worker throw, false where there is none of that name; null where that is not allowed. */
  readonly fault: ((worker: string) => boolean) | null;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Page = (request: IncomingMessage) => Answer | Promise<Answer>;

const TEXT = 'text/plain; charset=utf-8';
const MOST_HEADER_BYTES = 8 * 1024;
const MOST_CONNECTIONS = 128;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 75_000;
const FAULT_PATH = /^\/debug\/workers\/([\w-]+)\/fault$/;

/** The HTTP server for operators and their monitoring: metrics, health and status, and commands. */
export class AdminServer {
  readonly #server: Server;
  readonly #view: AdminView;
  readonly #log: Logger;
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #commands: CommandTable;
  /** Of the token that was asked for last: a reload may bring another. */
  #token: { readonly text: string; readonly bearer: BearerToken } | null = null;

  constructor(view: AdminView, log: Logger) {
    this.#view = view;
    this.#log = log;
    this.#commands = new CommandTable(view.commands);
    this.#pages = new Map<string, Page>([
      ['/metrics', (request) => this.#metrics(request)],
      ['/livez', () => text(200, 'ok')],
      ['/readyz', () => this.#ready()],
      ['/status', () => json(view.status())],
    ]);
    this.#server = createServer(
      {
        maxHeaderSize: MOST_HEADER_BYTES,
        headersTimeout: REQUEST_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: 1000,
        keepAliveTimeout: IDLE_TIMEOUT_MS,
      },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
    // A client that does not read its answer.
    this.#server.timeout = IDLE_TIMEOUT_MS;
    this.#server.on('clientError', refuse);
  }

  /** Listens; returns the address with the port that it got, rejects with a StartError. */
  async listen(address: TcpAddress): Promise<TcpAddress> {
    try {
      this.#server.listen(listenOptions(address));
      await once(this.#server, 'listening');
    } catch (error) {
      throw listenError('the admin server', address, error);
    }
    this.#server.on('error', (error) => this.#log.error({ err: error }, 'admin server failed'));
    const bound = this.#server.address() as AddressInfo;
    return { kind: 'tcp', host: bound.address, port: bound.port };
  }

  /** Stops listening and cuts what is open. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Nobody may send more than a head; what comes all the same is read and forgotten.
    request.resume();
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      this.#log.error({ err: error }, 'admin request failed');
      answer = text(500, 'internal error');
    }
    response.writeHead(answer.status, {
      'Content-Type': answer.type,
      'Content-Length': Buffer.byteLength(answer.body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...answer.headers,
    });
    response.end(answer.body);
  }

  #answer(request: IncomingMessage): Answer | Promise<Answer> {
    const { method = '', url = '/' } = request;
    const [path = '/'] = url.split('?', 1);
    const worker = FAULT_PATH.exec(path)?.[1];
    if (worker !== undefined && this.#view.fault !== null) {
      if (method !== 'POST') return notAllowed('POST');
      return this.#view.fault(worker) ? text(202, 'told') : text(404, `no worker ${worker}`);
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
    return this.#refusal(request) ?? this.#run(call, url);
  }

  /** Why a request may change nothing; null where it may. */
  #refusal(request: IncomingMessage): Answer | null {
    const { token } = this.#view;
    if (token === null) {
      return text(403, 'changes are refused: no admin.token is set (in the file, or as SLUICE_ADMIN_TOKEN)');
    }
    if (this.#token?.text !== token) this.#token = { text: token, bearer: new BearerToken(token) };
    if (this.#token.bearer.admits(request.headers.authorization)) return null;
    return {
      ...text(
        401,
        'changes need the token: send "Authorization: Bearer TOKEN" with the value of admin.token',
      ),
      headers: { 'WWW-Authenticate': 'Bearer realm="sluice"' },
    };
  }

  async #run({ command, args }: CommandCall, url: string): Promise<Answer> {
    const [, query = ''] = url.split('?', 2);
    const { status, body } = await command.run(args, new URLSearchParams(query));
    this.#log.info({ command: command.path, args, status }, 'admin command');
    return typeof body === 'string' ? text(status, body) : { ...json(body), status };
  }

  async #metrics(request: IncomingMessage): Promise<Answer> {
    const { contentType, body } = await this.#view.metrics(request.headers.accept ?? '');
    return { status: 200, type: contentType, body, headers: { Vary: 'Accept' } };
  }

  #ready(): Answer {
    const reason = this.#view.notReady();
    return reason === null ? text(200, 'ok') : text(503, reason);
  }
}

function text(status: number, body: string): Answer {
  return { status, type: TEXT, body: `${body}\n` };
}

function json(value: object): Answer {
  return { status: 200, type: 'application/json', body: `${JSON.stringify(value, null, 2)}\n` };
}

function notAllowed(allow: string): Answer {
  return { ...text(405, `only ${allow}`), headers: { Allow: allow } };
}

/** Answers what is no HTTP request, or a slow one, or one with too much in its head, and hangs up. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
