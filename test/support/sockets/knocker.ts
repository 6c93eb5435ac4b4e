/** A client that opens sessions at a rate, and remembers every failure. */
import { WebSocket } from 'ws';
import { within } from '../deadline.ts';

/** How long an answer may take: the kernel retries a connection without an answer after a second. */
const ANSWER_MS = 20_000;

export interface Knocks {
  /** How many sessions were opened. */
  readonly opened: number;
  /** The errors of the other attempts. */
  readonly failures: readonly string[];
  /** The longest that an opening took, in milliseconds. */
  readonly slowest: number;
}

export class Knocker {
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;
  readonly #pending = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  #opened = 0;
  #slowest = 0;

  private constructor(url: string, perSecond: number) {
    this.#url = url;
    let due = performance.now();
    this.#timer = setInterval(() => {
      // Catches up after a time in which the machine was busy.
      for (; due <= performance.now(); due += 1000 / perSecond) this.#knock();
    }, 5);
  }

  static start(url: string, perSecond: number): Knocker {
    return new Knocker(url, perSecond);
  }

  /** Comes no more; resolves when the last has been answered. */
  async stop(): Promise<Knocks> {
    clearInterval(this.#timer);
    await within('the last answers', Promise.all(this.#pending), 2 * ANSWER_MS);
    return { opened: this.#opened, failures: this.#failures, slowest: this.#slowest };
  }

  #knock(): void {
    const startedAt = performance.now();
    const socket = new WebSocket(this.#url, { perMessageDeflate: false, handshakeTimeout: ANSWER_MS });
    const over = new Promise<void>((settle) => {
      socket.on('open', () => {
        this.#opened++;
        this.#slowest = Math.max(this.#slowest, performance.now() - startedAt);
        socket.close(1000);
        settle();
      });
      socket.on('error', (error) => {
        if (socket.readyState === WebSocket.OPEN) return;
        this.#failures.push(error.message);
        settle();
      });
    });
    this.#pending.add(over);
    void over.then(() => this.#pending.delete(over));
  }
}
