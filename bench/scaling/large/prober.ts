import { connect, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';

const PERIOD_MS = 1;
const POLL_MS = 1;
/** Max time without an answer. A proxy that exceeds it is broken. */
const MAX_HOLD_MS = 20_000;

/** Counts of a prober since its last {@link Prober.begin}. */
export interface Probing {
  readonly requests: number;
  /** Requests without an answer because their connection ended. */
  readonly failures: number;
  /** Answers without the expected body. */
  readonly others: number;
  /**
   * The longest delay of the prober's own timer, in milliseconds: the machine kept it from sending and
   * reading.
   */
  readonly ownDelay: number;
  /** Response times, sorted, in milliseconds. */
  readonly latencies: readonly number[];
}

/**
 * Sends a small request each period, on several connections in turn, and records each response time. The
 * longest time shows how long a thread of the proxy served no client. Reopens connections that end.
 */
export class Prober {
  readonly #lines: Line[];
  readonly #timer: NodeJS.Timeout;
  #turn = 0;
  #latencies: number[] = [];
  #failures = 0;
  #others = 0;
  readonly #periodMs: number;
  #tickedAt: number | null = null;
  #ownDelay = 0;

  /**
   * @param port port of 127.0.0.1
   * @param connections number of connections, enough that each worker probably gets one
   */
  constructor(port: number, connections: number, periodMs = PERIOD_MS) {
    const onEnd = (latency: number | null, wanted: boolean): void => {
      if (latency === null) this.#failures++;
      else this.#latencies.push(latency);
      if (latency !== null && !wanted) this.#others++;
    };
    this.#lines = Array.from({ length: connections }, () => new Line(port, onEnd));
    this.#periodMs = periodMs;
    this.#timer = setInterval(() => this.#tick(), periodMs);
  }

  /**
   * Resets the counts, and sends this request from now on.
   *
   * @param wanted the expected body
   */
  begin(host: string, path: string, wanted: string | null = null): void {
    this.#latencies = [];
    this.#failures = 0;
    this.#others = 0;
    this.#ownDelay = 0;
    this.#tickedAt = null;
    const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    for (const line of this.#lines) line.begin(request, wanted);
  }

  /**
   * Waits until each connection has received the expected body.
   *
   * @returns when the last connection received it, by `performance.now()`
   * @throws Error if the wait exceeds {@link MAX_HOLD_MS}
   */
  async inForce(): Promise<number> {
    const end = performance.now() + MAX_HOLD_MS;
    while (this.#lines.some(({ wantedAt }) => wantedAt === null)) {
      if (performance.now() > end) throw new Error('the new answer did not come on all connections');
      await new Promise((settle) => setTimeout(settle, POLL_MS));
    }
    return Math.max(...this.#lines.map(({ wantedAt }) => wantedAt ?? 0));
  }

  /** Returns the counts, including requests that still wait for their answer. */
  seen(): Probing {
    const waiting = this.#lines.flatMap(({ waitedMs }) => (waitedMs === null ? [] : [waitedMs]));
    const latencies = [...this.#latencies, ...waiting].sort((a, b) => a - b);
    const [failures, others] = [this.#failures, this.#others];
    return { requests: latencies.length + failures, failures, others, ownDelay: this.#ownDelay, latencies };
  }

  /** Closes all connections. */
  end(): void {
    clearInterval(this.#timer);
    for (const line of this.#lines) line.end();
  }

  #tick(): void {
    const now = performance.now();
    if (this.#tickedAt !== null) {
      this.#ownDelay = Math.max(this.#ownDelay, now - this.#tickedAt - this.#periodMs);
    }
    this.#tickedAt = now;
    const lines = this.#lines;
    lines.some(() => lines[this.#turn++ % lines.length]!.send());
  }
}

/** One connection, with one request at a time. */
class Line {
  readonly #port: number;
  readonly #onEnd: (latency: number | null, wanted: boolean) => void;
  #socket: Socket | null = null;
  #request = '';
  #wanted: string | null = null;
  #sentAt: number | null = null;
  /** Whether the current request was sent after {@link begin}. */
  #counts = false;
  #ended = false;
  /** Time of the first expected body, by `performance.now()`. */
  wantedAt: number | null = null;

  constructor(port: number, onEnd: (latency: number | null, wanted: boolean) => void) {
    this.#port = port;
    this.#onEnd = onEnd;
  }

  /** Milliseconds that the current request has waited. Null without a request. */
  get waitedMs(): number | null {
    return this.#sentAt === null || !this.#counts ? null : performance.now() - this.#sentAt;
  }

  begin(request: string, wanted: string | null): void {
    this.#request = request;
    this.#wanted = wanted;
    this.#counts = false;
    this.wantedAt = null;
  }

  /** Sends the request, unless one is in flight. */
  send(): boolean {
    if (this.#sentAt !== null || this.#ended || this.#request === '') return false;
    this.#socket ??= this.#connect();
    this.#sentAt = performance.now();
    this.#counts = true;
    this.#socket.write(this.#request);
    return true;
  }

  end(): void {
    this.#ended = true;
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const reader = new AnswerReader();
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (piece) => {
      const answer = reader.take(piece);
      if (answer === null) return;
      const now = performance.now();
      const wanted = answer.body === this.#wanted;
      if (this.#counts && wanted) this.wantedAt ??= now;
      this.#settle(now, wanted);
      if (answer.last) this.#leave(socket);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#leave(socket);
      this.#settle(null, false);
    });
    return socket;
  }

  #leave(socket: Socket): void {
    this.#socket = null;
    socket.destroy();
  }

  #settle(now: number | null, wanted: boolean): void {
    if (this.#sentAt === null) return;
    const latency = now === null ? null : now - this.#sentAt;
    this.#sentAt = null;
    if (this.#counts && !this.#ended) this.#onEnd(latency, wanted);
  }
}
