import * as http from 'node:http';
import * as https from 'node:https';
import type { AuthAnswer, AuthCall, AuthCallOwner, AuthTransport } from './auth-transport.ts';

/** Max bytes of a response head. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Max bytes of a response body. The rest is cut, and the connection is closed. */
const MAX_BODY_BYTES = 64 * 1024;
/**
 * Keep-alive time of an idle connection. Most servers keep theirs longer. After a reload, connections of the
 * old configuration close within this time.
 */
const IDLE_TIMEOUT_MS = 15_000;
/** Errors of a kept connection that the server has closed. */
const STALE_CONNECTION_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
const EMPTY_BODY = Buffer.alloc(0);

/** Sends authentication requests with Node's HTTP client, over kept connections. */
export class NodeAuthTransport implements AuthTransport {
  readonly #options: https.RequestOptions;
  readonly #host: string;
  readonly #request: (options: https.RequestOptions) => http.ClientRequest;
  readonly #yieldToNode: () => void;

  /**
   * @param url scheme `http` or `https`
   * @param maxConnections max concurrent connections; more requests wait for one
   * @param yieldToNode gives Node the turn that it needs to start
   */
  constructor(url: string, maxConnections: number, yieldToNode: () => void) {
    const { protocol, hostname, host, port, pathname, search } = new URL(url);
    const client = protocol === 'https:' ? https : http;
    const agent = new client.Agent({
      keepAlive: true,
      maxSockets: maxConnections,
      maxFreeSockets: maxConnections,
      timeout: IDLE_TIMEOUT_MS,
    });
    this.#options = {
      agent,
      method: 'GET',
      // Only in a URL does an IPv6 address have brackets.
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      path: `${pathname}${search}`,
      maxHeaderSize: MAX_HEAD_BYTES,
    };
    this.#host = host;
    this.#request = (options) => client.request(options);
    this.#yieldToNode = yieldToNode;
  }

  ask(headers: readonly string[], owner: AuthCallOwner): AuthCall {
    const options = { ...this.#options, headers: ['Host', this.#host, ...headers] };
    const call = new NodeAuthCall(() => this.#request(options), owner);
    call.start();
    this.#yieldToNode();
    return call;
  }
}

/** One request. It is sent again if its kept connection turns out to be closed. */
class NodeAuthCall implements AuthCall {
  readonly #create: () => http.ClientRequest;
  readonly #owner: AuthCallOwner;
  #request: http.ClientRequest | null = null;
  #response: http.IncomingMessage | null = null;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #isDecided = false;
  #isClosed = false;

  constructor(create: () => http.ClientRequest, owner: AuthCallOwner) {
    this.#create = create;
    this.#owner = owner;
  }

  start(): void {
    let request;
    try {
      request = this.#create();
    } catch (error) {
      // The owner must have the call before a method is called.
      setImmediate(() => {
        this.#fail(error as Error);
        this.#close();
      });
      return;
    }
    this.#request = request;
    request.on('response', (response) => this.#begin(response));
    request.on('error', (error: NodeJS.ErrnoException) => this.#failed(request, error));
    // Without a listener, Node would report neither the response nor the end.
    request.on('upgrade', (_, socket) => {
      socket.destroy();
      this.#close();
    });
    request.on('close', () => {
      if (request === this.#request) this.#close();
    });
    request.end();
  }

  expire(): void {
    this.#conclude(new Error('timeout'));
    this.#request?.destroy();
  }

  cancel(): void {
    this.#isDecided = true;
    this.#request?.destroy();
  }

  #begin(response: http.IncomingMessage): void {
    this.#response = response;
    const isGranted = response.statusCode! >= 200 && response.statusCode! < 300;
    response.on('data', (chunk: Buffer) => this.#take(chunk));
    response.on('end', () => this.#conclude(new Error('no answer')));
    response.on('error', (error) => this.#conclude(error));
    // The body is not needed.
    if (isGranted) this.#conclude(new Error('no answer'));
  }

  #take(chunk: Buffer): void {
    const space = MAX_BODY_BYTES - this.#length;
    this.#length += chunk.length;
    if (!this.#isDecided && space > 0) this.#chunks.push(chunk.subarray(0, space));
    if (this.#length <= MAX_BODY_BYTES) return;
    this.#conclude(new Error('no answer'));
    this.#request?.destroy();
  }

  #failed(request: http.ClientRequest, error: NodeJS.ErrnoException): void {
    const isStale =
      request.reusedSocket && this.#response === null && STALE_CONNECTION_CODES.has(error.code ?? '');
    // All kept connections may be closed. Each try removes one of them, and the last finds none.
    if (isStale && !this.#isDecided) this.start();
    else this.#conclude(error);
  }

  /** Passes the owner the response so far, or the failure. A refusal counts even if its body is cut. */
  #conclude(problem: Error): void {
    if (this.#isDecided) return;
    if (this.#response === null) {
      this.#fail(problem);
      return;
    }
    this.#isDecided = true;
    const { statusCode, rawHeaders } = this.#response;
    const body = this.#chunks.length === 0 ? EMPTY_BODY : Buffer.concat(this.#chunks);
    const answer: AuthAnswer = { status: statusCode!, headers: rawHeaders, body };
    this.#chunks.length = 0;
    this.#owner.answered(answer);
  }

  #fail(problem: Error): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    this.#owner.failed((problem as NodeJS.ErrnoException).code ?? problem.message);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // `close` comes before the error of an incomplete response.
    this.#conclude(new Error('no answer'));
    this.#owner.closed();
  }
}
