import type { WebSocket } from 'ws';
import type { Carriers, DemoApp } from '../backend.ts';
import { Client } from '../client.ts';
import { readObject } from '../json-object.ts';
import { Prices } from './prices.ts';
import type { Good } from './prices.ts';

const MAX_SUBSCRIBERS = 1000;
const MAX_MESSAGES = 10;
const WINDOW_MS = 5000;
const INTERVAL_MS = 250;
/** Ticks that a new subscriber gets at once: a minute. */
const HISTORY = 240;
const GOODS: readonly Good[] = [
  { name: 'Alder', usualPrice: 4200 },
  { name: 'Birch', usualPrice: 9800 },
  { name: 'Cedar', usualPrice: 15_500 },
];

/** Messages to subscribers. Prices are in cents, in the order of `goods`. */
type ToSubscriber =
  | {
      readonly type: 'welcome';
      readonly endpoint: string;
      readonly goods: readonly string[];
      readonly intervalMs: number;
      readonly history: readonly Tick[];
    }
  | ({ readonly type: 'tick'; readonly subscribers: number } & Tick)
  | { readonly type: 'pong'; readonly id: number }
  | { readonly type: 'error' | 'notice'; readonly text: string };

interface Tick {
  /** Consecutive numbers, the same for all subscribers: a gap is a missed tick. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly prices: readonly number[];
}

/**
 * A feed of simulated prices that all endpoints of a cluster share: every subscriber gets the same tick at the
 * same time. A subscriber may send `{"type":"ping","id":1}` to measure its round trip.
 */
export class Feed implements DemoApp {
  readonly name = 'price feed';
  readonly description = `Open a WebSocket: simulated prices arrive ${1000 / INTERVAL_MS} times a second.`;
  readonly maxMessageSize = 256;
  readonly subprotocol = null;
  readonly #subscribers = new Set<Client>();
  readonly #prices = new Prices(GOODS);
  readonly #history: Tick[] = [];
  #timer: NodeJS.Timeout | null = null;
  #lastTick = 0;

  connect(socket: WebSocket, { endpoint }: Carriers): void {
    if (this.#subscribers.size >= MAX_SUBSCRIBERS) {
      socket.close(1013, 'the feed has too many subscribers');
      return;
    }
    const subscriber = new Client(socket, endpoint, { messages: MAX_MESSAGES, windowMs: WINDOW_MS });
    this.#subscribers.add(subscriber);
    this.#run();
    send(subscriber, {
      type: 'welcome',
      endpoint,
      goods: GOODS.map(({ name }) => name),
      intervalMs: INTERVAL_MS,
      history: this.#history,
    });
    subscriber.listen(
      (text) => send(subscriber, answer(text)),
      () => send(subscriber, { type: 'notice', text: subscriber.limitNotice }),
    );
    socket.once('close', () => this.#leave(subscriber));
  }

  #leave(subscriber: Client): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Starts the ticks. Adds the ticks that were due without subscribers. */
  #run(): void {
    if (this.#timer !== null) return;
    const now = Date.now();
    const last = this.#history.at(-1)?.at ?? -Infinity;
    const due = Math.min(HISTORY, Math.floor((now - last) / INTERVAL_MS));
    for (let left = due - 1; left >= 0; left--) this.#advance(now - left * INTERVAL_MS);
    this.#timer = setInterval(() => this.#publish(), INTERVAL_MS);
  }

  #publish(): void {
    const tick = this.#advance(Date.now());
    const message: ToSubscriber = { type: 'tick', subscribers: this.#subscribers.size, ...tick };
    const json = JSON.stringify(message);
    for (const subscriber of this.#subscribers) subscriber.sendSnapshot(json);
  }

  #advance(at: number): Tick {
    const tick = { number: ++this.#lastTick, at, prices: this.#prices.step() };
    this.#history.push(tick);
    if (this.#history.length > HISTORY) this.#history.shift();
    return tick;
  }
}

function answer(text: string | null): ToSubscriber {
  const message = text === null ? 'Messages are text.' : readObject(text);
  if (typeof message === 'string') return { type: 'error', text: message };
  const { type, id } = message;
  if (type !== 'ping') return { type: 'error', text: 'The type of a message is ping.' };
  return Number.isSafeInteger(id)
    ? { type: 'pong', id: id as number }
    : { type: 'error', text: 'A ping has an id, a whole number.' };
}

function send(subscriber: Client, message: ToSubscriber): void {
  subscriber.send(JSON.stringify(message));
}
