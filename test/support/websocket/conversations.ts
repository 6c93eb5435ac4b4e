/** Many clients (`ws`) that each exchange numbered messages with an echo, and see what is lost, repeated or swapped. */
import { WebSocket } from 'ws';
import { within } from '../deadline.ts';

const OPENING_AT_ONCE = 50;
const TICK_MS = 20;

/** One client: it sends a number after the echo of the previous number. */
class Conversation {
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  closed: { readonly code: number; readonly at: number } | null = null;
  /** Errors: lost, repeated or swapped messages. */
  readonly failures: string[] = [];
  #sent = 0;
  #received = 0;
  #sentAt = 0;
  readonly #onAnswer: (ms: number) => void;

  constructor(url: string, onAnswer: (ms: number) => void) {
    this.#onAnswer = onAnswer;
    this.socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: 60_000 });
    this.socket.on('message', (data: Buffer) => this.#receive(data.toString()));
    this.socket.on('close', (code) => (this.closed = { code, at: performance.now() }));
    this.opened = new Promise((settle, fail) => {
      this.socket.once('open', settle);
      this.socket.on('error', fail);
    });
  }

  get answered(): boolean {
    return this.#received === this.#sent;
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Sends the next number, unless an answer is due. */
  speak(): void {
    if (!this.isOpen || !this.answered) return;
    this.#sentAt = performance.now();
    this.socket.send(`message ${++this.#sent}`);
  }

  #receive(text: string): void {
    const expected = `message ${this.#received + 1}`;
    if (text !== expected || this.answered) this.failures.push(`${text} came in place of ${expected}`);
    this.#received++;
    this.#onAnswer(performance.now() - this.#sentAt);
  }
}

export class Conversations {
  readonly all: Conversation[] = [];
  /** Answers so far. */
  answers = 0;
  /** Receives the latency of each answer, in milliseconds. */
  onAnswer: (ms: number) => void = () => undefined;
  readonly #periodMs: number;
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #due = 0;

  /** @param periodMs how often each client speaks */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Opens a number of conversations, some at a time. */
  async open(url: string, count: number): Promise<Conversation[]> {
    const made: Conversation[] = [];
    while (made.length < count) {
      const batch = Array.from({ length: Math.min(OPENING_AT_ONCE, count - made.length) }, () => {
        return new Conversation(url, (ms) => {
          this.answers++;
          this.onAnswer(ms);
        });
      });
      await within('the sessions to open', Promise.all(batch.map(({ opened }) => opened)), 60_000);
      made.push(...batch);
      this.all.push(...batch);
    }
    return made;
  }

  /** Sends no more, and waits for the answers that are due; returns all errors. */
  async settle(): Promise<string[]> {
    clearInterval(this.#timer);
    const end = performance.now() + 30_000;
    const due = (): Conversation[] => this.all.filter(({ isOpen, answered }) => isOpen && !answered);
    while (due().length > 0 && performance.now() < end) await new Promise((settle) => setTimeout(settle, 50));
    const failures = this.all.flatMap((conversation) => conversation.failures);
    return [...failures, ...due().map(() => 'an answer never came')];
  }

  /** Forgets the conversations that have closed; returns their close codes. */
  takeClosed(): number[] {
    const closed = this.all.filter((conversation) => conversation.closed !== null);
    for (const conversation of closed) this.all.splice(this.all.indexOf(conversation), 1);
    return closed.map((conversation) => conversation.closed!.code);
  }

  end(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.all) socket.terminate();
  }

  /** Each in its turn, so that the load is even. */
  #tick(): void {
    const { length } = this.all;
    if (length === 0) return;
    this.#due += (length * TICK_MS) / this.#periodMs;
    for (; this.#due >= 1; this.#due--) this.all[this.#next++ % length]!.speak();
  }
}
