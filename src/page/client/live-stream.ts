import { EventStreamReader } from '../../core/event-stream.ts';
import { Backoff } from '../../core/timing/backoff.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import { parseFrame } from '../model/live-types.ts';
import type { Clock } from './clock.ts';

/** The state of the connection between the page and the proxy. */
export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** The connection is open, but no frame arrived for a while. */
  | { readonly kind: 'stale' }
  /** @param retryAt time of the next attempt, on the page's clock */
  | { readonly kind: 'lost'; readonly why: string; readonly retryAt: number }
  /** The frames come from another version of the proxy. */
  | { readonly kind: 'foreign' }
  /** The page is hidden. Other pages need the browser's few connections to this host. */
  | { readonly kind: 'paused' };

interface StreamOwner {
  onFrame(frame: LiveFrame): void;
  onState(state: LinkState): void;
}

interface StreamOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** Time without a frame until the state is stale: two frames are missing. */
const STALE_MS = 3000;
/** Time without a frame until the connection is closed. The other end may have vanished silently. */
const DEAD_MS = 10_000;
/** Min lifetime of a connection that resets the backoff. */
const SETTLED_MS = 10_000;
const RETRY = { firstMs: 1000, maxMs: 15_000 };
/** Max characters of a frame. A frame of 100 clusters and 5,000 endpoints has about 2 million. */
const MAX_EVENT_LENGTH = 8_000_000;
/** Max characters of a refusal's message. */
const MAX_MESSAGE_LENGTH = 300;

/** Reads `GET /live` and reconnects with backoff. Closed while the page is hidden. */
export class LiveStream {
  readonly #owner: StreamOwner;
  readonly #fetch: typeof globalThis.fetch;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #abort: AbortController | null = null;
  #cancel: () => void = () => undefined;
  #isOpen = false;

  constructor(owner: StreamOwner, { fetch, clock }: StreamOptions) {
    this.#owner = owner;
    this.#fetch = fetch;
    this.#clock = clock;
    this.#backoff = new Backoff(RETRY, () => clock.random());
  }

  /** Connects. Has no effect while it is open. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#connect();
  }

  /** Closes the connection until the next {@link open}. */
  pause(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#end();
    this.#backoff.reset();
    this.#owner.onState({ kind: 'paused' });
  }

  /** Connects at once instead of after the backoff. */
  retry(): void {
    if (!this.#isOpen || this.#abort !== null) return;
    this.#end();
    this.#connect();
  }

  #connect(): void {
    const abort = (this.#abort = new AbortController());
    this.#owner.onState({ kind: 'connecting' });
    this.#watch(abort, DEAD_MS, () => this.#lose(abort, 'no answer'));
    this.#read(abort).catch((error: unknown) => this.#lose(abort, reasonOf(error)));
  }

  /** Reads until the connection ends, then throws. Returns only if this connection was replaced or paused. */
  async #read(abort: AbortController): Promise<void> {
    const response = await this.#fetch('live', {
      signal: abort.signal,
      headers: { accept: 'text/event-stream' },
      cache: 'no-store',
      credentials: 'omit',
    });
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || response.body === null || !type.startsWith('text/event-stream')) {
      throw new Refusal(await messageOf(response));
    }
    const began = this.#clock.now();
    const events = new EventStreamReader(MAX_EVENT_LENGTH);
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        // A paused stream has no controller, and a resumed one has a new controller.
        if (this.#abort !== abort) return;
        if (done) throw new Refusal('the proxy closed the stream');
        for (const data of events.read(decoder.decode(value, { stream: true }))) this.#take(abort, data);
        if (this.#clock.now() - began > SETTLED_MS) this.#backoff.reset();
      }
    } finally {
      // Unread data would keep the connection open. Rejects if the connection already failed.
      reader.cancel().catch(() => undefined);
    }
  }

  #take(abort: AbortController, data: string): void {
    const frame = parseFrame(data);
    this.#watch(abort, STALE_MS, () => this.#goStale(abort));
    if (frame === null) {
      this.#owner.onState({ kind: 'foreign' });
      return;
    }
    this.#owner.onState({ kind: 'live' });
    this.#owner.onFrame(frame);
  }

  #goStale(abort: AbortController): void {
    this.#owner.onState({ kind: 'stale' });
    this.#watch(abort, DEAD_MS - STALE_MS, () => this.#lose(abort, 'no more frames arrive'));
  }

  /** Replaces the pending timeout. */
  #watch(abort: AbortController, ms: number, callback: () => void): void {
    this.#cancel();
    this.#cancel = this.#clock.after(ms, () => {
      if (this.#abort === abort) callback();
    });
  }

  #lose(abort: AbortController, why: string): void {
    if (this.#abort !== abort) return;
    this.#end();
    const pauseMs = this.#backoff.next();
    this.#owner.onState({ kind: 'lost', why, retryAt: this.#clock.now() + pauseMs });
    this.#cancel = this.#clock.after(pauseMs, () => this.#connect());
  }

  #end(): void {
    const abort = this.#abort;
    this.#abort = null;
    this.#cancel();
    abort?.abort();
  }
}

/** An error whose message is fit for people. */
class Refusal extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof Refusal || error instanceof RangeError) return error.message;
  // The browser reports every failure as "Failed to fetch".
  return 'the proxy does not answer';
}

async function messageOf(response: Response): Promise<string> {
  let message = '';
  try {
    const body = (await response.json()) as { readonly message?: unknown };
    if (typeof body.message === 'string') message = body.message.slice(0, MAX_MESSAGE_LENGTH);
  } catch {
    // The status is enough.
  }
  return message === '' ? `the proxy answers with status ${response.status}` : message;
}
