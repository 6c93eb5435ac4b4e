import { performance } from 'node:perf_hooks';
import { TICK_MS, type TimerWheel } from '../core/timing/timer-wheel.ts';
import { PinnedBuffer } from '../sys/memory/pinned-buffer.ts';
import { nodeLoopDescriptor } from '../sys/node/node-loop.ts';
import { Pipe } from '../sys/sockets/pipe.ts';
import { Sockets } from '../sys/sockets/sockets.ts';
import { Poller } from './poller.ts';

/** Size of the buffer that sockets are read into, in bytes. */
const INPUT_BYTES = 256 * 1024;

/**
 * The loop of a thread that carries connections by system calls, and what the connections share. The thread waits in
 * epoll_wait instead of in Node's event loop, whose descriptor is in the same epoll set. Node gets a turn when it has
 * something to do (a socket of a native library, a message of the primary, an address that has been looked up), and at
 * every tick of the wheel. So everything that Node does works here too, and costs the connections nothing while Node has
 * nothing to do.
 */
export class EventLoop {
  readonly wheel: TimerWheel;
  readonly sockets = new Sockets();
  readonly poller = new Poller(this.sockets);
  /** Bytes that were read from a socket. They are valid until the handler that has read them returns. */
  readonly input = new PinnedBuffer(INPUT_BYTES);
  /** Called behind each turn of Node. */
  afterNode: (() => void) | null = null;
  /** Milliseconds that the thread has waited in this loop. */
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

  /** @throws if system calls are not supported */
  constructor(wheel: TimerWheel) {
    this.wheel = wheel;
    this.poller.watchForeign(nodeLoopDescriptor());
  }

  /** Begins to serve the descriptors of the poller. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#nextTick = performance.now() + TICK_MS;
    setImmediate(this.#turn);
  }

  /** Ends the loop, and closes every descriptor of the poller. */
  close(): void {
    this.#running = false;
    this.#deferred.length = 0;
    this.#soon.length = 0;
    this.poller.closeAll();
    this.#pipe?.close();
    this.#pipe = null;
  }

  /** Returns the pipe of this thread, for transfers between its sockets; null if no descriptor is free. */
  pipe(): Pipe | null {
    if (this.#pipe !== null) return this.#pipe;
    try {
      this.#pipe = new Pipe();
    } catch {
      // The bytes are copied instead.
    }
    return this.#pipe;
  }

  /** Calls back once, when all events of this moment have been served and before the thread waits again. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /**
   * Calls back once, after the next events and the callbacks that they have deferred. The thread does not wait for
   * those events. For the rest of some work that would keep others waiting.
   */
  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /**
   * Gives Node a turn before the thread waits again. Needed after telling Node to watch a descriptor, which it begins
   * only in its own turn.
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

  /** Serves connections until it is Node's turn. */
  #run(): void {
    if (!this.#running) return;
    const { poller } = this;
    this.afterNode?.();
    // If Node has had events, it may have more to do at once: what it has begun to watch enters its epoll set only in its
    // next turn, and deferred callbacks wait for that turn too.
    const { events } = performance.nodeTiming.uvMetricsInfo;
    if (events !== this.#nodeEvents) this.#nodeTurn = true;
    this.#nodeEvents = events;
    this.#runDeferred();
    do {
      // What deferred callbacks have closed must not wait for the next event.
      poller.sweep();
      const before = performance.now();
      const isBusy = this.#nodeTurn || this.#soon.length > 0;
      const timeout = isBusy ? 0 : Math.max(0, Math.ceil(this.#nextTick - before));
      const count = poller.wait(timeout);
      const now = performance.now();
      this.waitedMs += now - before;
      // Deadlines armed now count from now. Events are served before deadlines that have passed: after a long turn of Node
      // both may be due.
      this.wheel.now = now;
      if (poller.dispatch(count)) this.#nodeTurn = true;
      if (now >= this.#nextTick) {
        this.#tick(now);
        this.#nodeTurn = true;
      }
      this.#runDeferred();
      this.#runSoon();
    } while (!this.#nodeTurn && this.#isRunning());
    // Whoever asks for a turn of Node during this one gets the next one, too.
    this.#nodeTurn = false;
    setImmediate(this.#turn);
  }

  /** A method, because TypeScript takes the field for unchanged. What has been served may have ended the loop. */
  #isRunning(): boolean {
    return this.#running;
  }

  #runSoon(): void {
    if (this.#soon.length === 0) return;
    // What they call back later has its turn behind the events of another wait.
    const callbacks = this.#soon;
    this.#soon = [];
    for (const callback of callbacks) callback();
    this.#runDeferred();
  }

  #runDeferred(): void {
    // The loop also runs callbacks that are deferred during it.
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
