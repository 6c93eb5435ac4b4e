/** An endpoint whose queue of connections is full: the kernel answers no more of them, and nobody accepts any. */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { within } from './deadline.ts';

/** Listens with the shortest queue, says where, and never returns to its event loop. */
const LISTEN = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const server = createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;
/** The kernel takes one more than the queue is said to hold. */
const QUEUE = 2;

export class DeafEndpoint {
  readonly address: string;
  readonly #worker: Worker;
  readonly #fillers: readonly Socket[];

  private constructor(address: string, worker: Worker, fillers: readonly Socket[]) {
    this.address = address;
    this.#worker = worker;
    this.#fillers = fillers;
  }

  static async listen(): Promise<DeafEndpoint> {
    const worker = new Worker(LISTEN, { eval: true });
    const started = new Promise<number>((settle, fail) => {
      worker.once('message', settle);
      worker.once('error', fail);
    });
    const port = await within('the deaf endpoint', started);
    let connected = 0;
    const fillers: Socket[] = [];
    const full = new Promise<void>((settle) => {
      // Some more than fit, so that the queue is full for certain.
      while (fillers.length < 4 * QUEUE) {
        const filler = connect(port, '127.0.0.1', () => {
          if (++connected === QUEUE) settle();
        });
        filler.on('error', () => undefined);
        fillers.push(filler);
      }
    });
    await within('the queue to be full', full);
    return new DeafEndpoint(`127.0.0.1:${port}`, worker, fillers);
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    await this.#worker.terminate();
  }
}
