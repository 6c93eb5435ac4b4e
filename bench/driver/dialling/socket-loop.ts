import { performance } from 'node:perf_hooks';
import { Poller } from '../../../src/loop/poller.ts';
import { nodeLoopDescriptor } from '../../../src/sys/node/node-loop.ts';
import { Sockets } from '../../../src/sys/sockets/sockets.ts';

/** Max time between two turns of Node's event loop: its timers are late by this at most. */
const NODE_TURN_MS = 1;

/**
 * Waits for a thread's sockets by epoll_wait. One of the descriptors is Node's event loop: Node gets a turn
 * if it has events, and every millisecond for its timers.
 */
export class SocketLoop {
  readonly sockets = new Sockets();
  readonly poller = new Poller(this.sockets);
  #callbacks: (() => void)[] = [];
  #nodeEvents = 0;
  #running = true;
  readonly #turn = (): void => this.#run();

  /** @throws Error if system calls are not supported */
  constructor() {
    this.poller.watchForeign(nodeLoopDescriptor());
    setImmediate(this.#turn);
  }

  /** Runs a callback after all current events are handled. Callbacks run in the order of the calls. */
  soon(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  /** Ends the loop and closes all watched sockets. */
  close(): void {
    this.#running = false;
    this.poller.closeAll();
  }

  #run(): void {
    if (!this.#running) return;
    const { poller } = this;
    // If the last turn of Node's loop had events, Node may have more work at once.
    const { events } = performance.nodeTiming.uvMetricsInfo;
    let nodeTurn = events !== this.#nodeEvents;
    this.#nodeEvents = events;
    let now = performance.now();
    const turnAt = now + NODE_TURN_MS;
    do {
      const hurried = nodeTurn || this.#callbacks.length > 0;
      const count = poller.wait(hurried ? 0 : Math.max(0, Math.ceil(turnAt - now)));
      now = performance.now();
      if (poller.dispatch(count)) nodeTurn = true;
      this.#callBack();
      if (now >= turnAt) nodeTurn = true;
    } while (!nodeTurn);
    setImmediate(this.#turn);
  }

  #callBack(): void {
    if (this.#callbacks.length === 0) return;
    const due = this.#callbacks;
    // Callbacks added from here on run after the next events.
    this.#callbacks = [];
    for (const callback of due) callback();
  }
}
