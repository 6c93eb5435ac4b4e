import { performance } from 'node:perf_hooks';
import { TICK_MS, type TimerWheel } from '../core/timing/timer-wheel.ts';
import { PinnedBuffer } from '../sys/memory/pinned-buffer.ts';
import { nodeLoopDescriptor } from '../sys/node/node-loop.ts';
import { Pipe } from '../sys/sockets/pipe.ts';
import { Sockets } from '../sys/sockets/sockets.ts';
import { Poller } from './poller.ts';

/** Size of the shared read buffer. */
const INPUT_BYTES = 256 * 1024;

/**
 * The event loop of a thread that carries connections by system calls, and the objects those connections
 * share.
 *
 * The thread waits in epoll_wait, not in Node's event loop. The descriptor of Node's loop is in the same
 * epoll set. Node gets a turn at every tick of the wheel. It also gets one when it has events: from a native
 * library's socket, the primary, or a name lookup. Everything Node does keeps working, and an idle Node costs
 * the connections nothing.
 */
export class EventLoop {
  readonly wheel: TimerWheel;
  readonly sockets = new Sockets();
  readonly poller = new Poller(this.sockets);
  /** Bytes read from a socket. Valid until the handler that read them returns. */
  readonly input = new PinnedBuffer(INPUT_BYTES);
  /** Called after each turn of Node. */
  afterNode: (() => void) | null = null;
  /** Milliseconds this loop has spent waiting. */
  waitedMs = 0;
  #maxLatenessMs = 0;
  #nextTick = 0;
  #nodeEvents = 0;
  #nodeTurn = false;
  #pipe: Pipe | null = null;
  #running = false;
  readonly #deferred: (() => void)[] = [];
  #soon: (() => void)[] = [];
  readonly #turn = (): void => this.#run();

  /** @throws Error if system calls are not supported */
  constructor(wheel: TimerWheel) {
    this.wheel = wheel;
    this.poller.watchForeign(nodeLoopDescriptor());
  }

  /** Starts serving the poller's descriptors. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#nextTick = performance.now() + TICK_MS;
    setImmediate(this.#turn);
  }

  /** Stops the loop and closes every descriptor of the poller. */
  close(): void {
    this.#running = false;
    this.#deferred.length = 0;
    this.#soon.length = 0;
    this.poller.closeAll();
    this.#pipe?.close();
    this.#pipe = null;
  }

  /** Returns this thread's pipe for transfers between its sockets. Null if no descriptor is free. */
  pipe(): Pipe | null {
    if (this.#pipe !== null) return this.#pipe;
    try {
      this.#pipe = new Pipe();
    } catch {
      // Callers copy the bytes instead.
    }
    return this.#pipe;
  }

  /** Runs the callback once, after all current events and before the thread waits again. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /**
   * Runs the callback once, after the next events and the callbacks they defer. Does not wait for events.
   * Splits long work so that others get their turn.
   */
  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /**
   * Gives Node a turn before the thread waits again. Needed after asking Node to watch a descriptor: Node
   * starts watching only in its own turn.
   */
  yieldToNode(): void {
    this.#nodeTurn = true;
  }

  /** Returns the max lateness of a tick since the last call, in milliseconds. */
  takeLatenessMs(): number {
    const lateness = this.#maxLatenessMs;
    this.#maxLatenessMs = 0;
    return lateness;
  }

  /** Serves connections until Node needs a turn. */
  #run(): void {
    if (!this.#running) return;
    const { poller } = this;
    this.afterNode?.();
    // Node had events, so it may have more work: new watches enter its epoll set, and deferred callbacks run,
    // only in its next turn.
    const { events } = performance.nodeTiming.uvMetricsInfo;
    if (events !== this.#nodeEvents) this.#nodeTurn = true;
    this.#nodeEvents = events;
    this.#runDeferred();
    do {
      // Descriptors closed by deferred callbacks must not wait for the next event.
      poller.sweep();
      const before = performance.now();
      const isBusy = this.#nodeTurn || this.#soon.length > 0;
      const timeout = isBusy ? 0 : Math.max(0, Math.ceil(this.#nextTick - before));
      const count = poller.wait(timeout);
      const now = performance.now();
      this.waitedMs += now - before;
      // Deadlines armed from here on count from this moment. Events go before expired deadlines: after a long
      // turn of Node both may be due.
      this.wheel.now = now;
      if (poller.dispatch(count)) this.#nodeTurn = true;
      if (now >= this.#nextTick) {
        this.#tick(now);
        this.#nodeTurn = true;
      }
      this.#runDeferred();
      this.#runSoon();
    } while (!this.#nodeTurn && this.#isRunning());
    // A turn of Node requested during this one is granted next.
    this.#nodeTurn = false;
    setImmediate(this.#turn);
  }

  /**
   * Whether the loop still runs: a callback may have closed it. A method, because TypeScript assumes the
   * field unchanged.
   */
  #isRunning(): boolean {
    return this.#running;
  }

  #runSoon(): void {
    if (this.#soon.length === 0) return;
    // Callbacks added from here on run after the events of another wait.
    const callbacks = this.#soon;
    this.#soon = [];
    for (const callback of callbacks) callback();
    this.#runDeferred();
  }

  #runDeferred(): void {
    // This loop also runs callbacks deferred while it runs.
    for (const callback of this.#deferred) callback();
    this.#deferred.length = 0;
  }

  #tick(now: number): void {
    this.#maxLatenessMs = Math.max(this.#maxLatenessMs, now - this.#nextTick);
    this.#nextTick = now + TICK_MS;
    this.wheel.advance(now);
    this.poller.sweep();
  }
}
