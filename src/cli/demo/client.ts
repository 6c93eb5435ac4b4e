import type { WebSocket } from 'ws';
import { RateLimit } from './rate-limit.ts';

/** Max consecutive refused messages before a client is disconnected. */
const MAX_REFUSED = 100;
/** Max bytes buffered for a client before it is disconnected. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Max bytes buffered for a client before it misses a snapshot. */
const MAX_FRESH_BYTES = 64 * 1024;
/** Max consecutive missed snapshots before a client is disconnected. */
const MAX_MISSED = 200;
const CLOSE_GRACE_MS = 2000;

/** `notice`: the first message over the limit, which gets a notice. `refused`: one after that. */
type Judgement = 'allowed' | 'notice' | 'refused';

interface ClientLimits {
  readonly messages: number;
  readonly windowMs: number;
}

/** A client of a demo app. It cannot send too much, and nothing is buffered without limit if it does not read. */
export class Client {
  /** The endpoint of the client's connection. */
  readonly endpoint: string;
  readonly #socket: WebSocket;
  readonly #limits: ClientLimits;
  readonly #rate: RateLimit;
  #refused = 0;
  #missed = 0;

  constructor(socket: WebSocket, endpoint: string, limits: ClientLimits) {
    this.#socket = socket;
    this.endpoint = endpoint;
    this.#limits = limits;
    this.#rate = new RateLimit(limits.messages, limits.windowMs);
  }

  /** A sentence for a client that gets a notice. */
  get limitNotice(): string {
    const { messages, windowMs } = this.#limits;
    return `Not so fast, please: ${messages} messages in ${windowMs / 1000} seconds. The last one was not passed on.`;
  }

  /**
   * Passes each text of the client to `receive`, or null for a binary message. Counts all messages: many
   * messages over the limit close the connection.
   *
   * @param notice called for the first message over the limit
   */
  listen(receive: (text: string | null) => void, notice: () => void): void {
    this.#socket.on('message', (data, isBinary) => {
      const judgement = this.#judge();
      // `ws` delivers Buffers unless its binaryType is changed.
      if (judgement === 'allowed') receive(isBinary ? null : (data as Buffer).toString());
      else if (judgement === 'notice') notice();
    });
  }

  /** Sends a message that the client must not miss. Closes a client that reads too slowly. */
  send(json: string): void {
    if (!this.#isOpen) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) this.close(1013, 'reading too slowly');
    else this.#socket.send(json);
  }

  /** Sends a snapshot, which the next snapshot replaces. A slow client misses it. */
  sendSnapshot(json: string): void {
    if (!this.#isOpen) return;
    if (this.#socket.bufferedAmount <= MAX_FRESH_BYTES) {
      this.#missed = 0;
      this.#socket.send(json);
    } else if (++this.#missed > MAX_MISSED) {
      this.close(1013, 'reading too slowly');
    }
  }

  /** Closes the connection. A client that does not answer soon is cut, and its buffered messages are lost. */
  close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#socket.close(code, reason);
    const deadline = setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS);
    this.#socket.once('close', () => clearTimeout(deadline));
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  #judge(): Judgement {
    if (this.#rate.allow(performance.now())) {
      this.#refused = 0;
      return 'allowed';
    }
    if (++this.#refused > MAX_REFUSED) this.close(1008, 'too many messages');
    return this.#refused === 1 ? 'notice' : 'refused';
  }
}
