import { performance } from 'node:perf_hooks';
import { TICK_MS, type TimerWheel } from '../core/timing/timer-wheel.ts';
import { nodeLoopDescriptor } from '../sys/node/node-loop.ts';
import { PinnedBuffer } from '../sys/memory/pinned-buffer.ts';
import { Sockets } from '../sys/sockets/sockets.ts';
import { Poller } from './poller.ts';

/** What is read from a socket lies here until it has been handed on. */
const INPUT_SIZE = 256 * 1024;

/**
 * The loop of a thread that carries connections by system calls, and what they share. It waits in epoll_wait and
 * not in Node's event loop, which lies in the same epoll set: when Node has something to do (a client of
 * uWebSockets.js, a message of the primary, an address that has been looked up) and at every tick of the wheel, it
 * gets a turn. So all that Node does works here too, and costs the connections nothing as long as there is none
 * of it.
 */
export class EventLoop {
  readonly wheel: TimerWheel;
  readonly sockets = new Sockets();
  readonly poller = new Poller(this.sockets);
  readonly input = new PinnedBuffer(INPUT_SIZE);
  /** Milliseconds that the thread has waited here for something to happen. */
  waitedMs = 0;
  #latestMs = 0;
  #nextTick = 0;
  #nodeEvents = 0;
  #nodeTurn = false;
  #running = false;
  readonly #deferred: (() => void)[] = [];
  readonly #turn = (): void => this.#run();

  /** Throws where system calls are not supported. */
  constructor(wheel: TimerWheel) {
    this.wheel = wheel;
    this.poller.watchForeign(nodeLoopDescriptor());
  }

  /** Begins to serve what the poller watches. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#nextTick = performance.now() + TICK_MS;
    setImmediate(this.#turn);
  }

  /** Ends the loop and closes everything that it watches. */
  close(): void {
    this.#running = false;
    this.#deferred.length = 0;
    this.poller.closeAll();
  }

  /** Calls back once, when everything that has happened by now has been served and before the thread waits again. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /**
   * Gives Node a turn before the thread waits again: for who has told Node to watch something, which it only
   * begins in its own turn.
   */
  yieldToNode(): void {
    this.#nodeTurn = true;
  }

  /** How late the latest tick since the last call was, in milliseconds. */
  takeLatenessMs(): number {
    const latest = this.#latestMs;
    this.#latestMs = 0;
    return latest;
  }

  /** Serves connections until it is Node's turn. */
  #run(): void {
    if (!this.#running) return;
    const { poller } = this;
    // Where Node has been busy it may have more to do at once: what it has begun is not in its set before its
    // next turn, and what it has put off waits for it too.
    const { events } = performance.nodeTiming.uvMetricsInfo;
    this.#nodeTurn = events !== this.#nodeEvents;
    this.#nodeEvents = events;
    this.#runDeferred();
    do {
      const before = performance.now();
      const timeout = this.#nodeTurn ? 0 : Math.max(0, Math.ceil(this.#nextTick - before));
      const count = poller.wait(timeout);
      const now = performance.now();
      this.waitedMs += now - before;
      // Deadlines that are armed now count from now, and those that have passed give way to what has happened:
      // after a long turn of Node both are of the same moment.
      this.wheel.now = now;
      if (poller.dispatch(count)) this.#nodeTurn = true;
      if (now >= this.#nextTick) {
        this.#tick(now);
        this.#nodeTurn = true;
      }
      this.#runDeferred();
    } while (!this.#nodeTurn && this.#isRunning());
    setImmediate(this.#turn);
  }

  /** Asked anew: what has been served may have ended the loop. */
  #isRunning(): boolean {
    return this.#running;
  }

  #runDeferred(): void {
    // What is deferred meanwhile comes too.
    for (const callback of this.#deferred) callback();
    this.#deferred.length = 0;
  }

  #tick(now: number): void {
    this.#latestMs = Math.max(this.#latestMs, now - this.#nextTick);
    this.#nextTick = now + TICK_MS;
    this.wheel.advance(now);
    this.poller.sweep();
  }
}
