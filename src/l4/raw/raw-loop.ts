import { performance } from 'node:perf_hooks';
import { TICK_MS, type TimerWheel } from '../../core/timer-wheel.ts';
import { nodeLoopDescriptor } from '../../sys/node-loop.ts';
import { PinnedBuffer } from '../../sys/pinned-buffer.ts';
import { Sockets } from '../../sys/sockets.ts';
import { EndpointAddresses } from './endpoint-addresses.ts';
import { Poller } from './poller.ts';
import { SpillPool } from './spill.ts';

/**
 * The loop of a thread that carries tunnels by system calls, and what its tunnels share. It waits in epoll_wait
 * and not in Node's event loop, which lies in the same epoll set: when Node has something to do (a message of
 * the primary, an address that has been looked up) and at every tick of the wheel, it gets a turn. So all that
 * Node does works here too, and costs the tunnels nothing as long as there is none of it.
 */
export class RawLoop {
  readonly wheel: TimerWheel;
  readonly sockets = new Sockets();
  readonly poller = new Poller(this.sockets);
  readonly spills = new SpillPool();
  readonly addresses = new EndpointAddresses();
  /** What is read from any side is here until it has been sent or spilled. */
  readonly input = new PinnedBuffer(SpillPool.largest);
  /** Milliseconds that the thread has waited here for something to happen. */
  waitedMs = 0;
  #latestMs = 0;
  #nextTick = 0;
  #nodeEvents = 0;
  #running = false;
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
    this.poller.closeAll();
  }

  /** How late the latest tick since the last call was, in milliseconds. */
  takeLatenessMs(): number {
    const latest = this.#latestMs;
    this.#latestMs = 0;
    return latest;
  }

  /** Serves tunnels until it is Node's turn. */
  #run(): void {
    if (!this.#running) return;
    const { poller } = this;
    // Where Node has been busy it may have more to do at once: what it has begun is not in its set before its
    // next turn, and what it has put off waits for it too.
    const { events } = performance.nodeTiming.uvMetricsInfo;
    let nodeTurn = events !== this.#nodeEvents;
    this.#nodeEvents = events;
    do {
      const before = performance.now();
      const timeout = nodeTurn ? 0 : Math.max(0, Math.ceil(this.#nextTick - before));
      const count = poller.wait(timeout);
      const now = performance.now();
      this.waitedMs += now - before;
      // Deadlines that are armed now count from now, and those that have passed give way to what has happened:
      // after a long turn of Node both are of the same moment.
      this.wheel.now = now;
      if (poller.dispatch(count)) nodeTurn = true;
      if (now >= this.#nextTick) {
        this.#tick(now);
        nodeTurn = true;
      }
    } while (!nodeTurn);
    setImmediate(this.#turn);
  }

  #tick(now: number): void {
    this.#latestMs = Math.max(this.#latestMs, now - this.#nextTick);
    this.#nextTick = now + TICK_MS;
    this.wheel.advance(now);
    this.poller.sweep();
  }
}
