/** A worker in a thread of the test whose taps note all sessions and tunnels. */
import { randomBytes } from 'node:crypto';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Config } from '../../../src/config/types/config.ts';
import { formatAddress, parseTcpAddress } from '../../../src/core/address.ts';
import { TICKET_KEY_BYTES, TicketKeyRing, allocateTicketKeys } from '../../../src/core/ticket-key-ring.ts';
import type { FromWorker } from '../../../src/protocol/from-worker.ts';
import type { WorkerKind } from '../../../src/protocol/to-worker.ts';
import { allocateLineWindow } from '../../../src/telemetry/line-window.ts';
import type {
  TappedEnd,
  TappedSession,
  TappedTunnel,
  TappedTunnelEnd,
} from '../../../src/telemetry/tap/tap.ts';
import { Arrivals, within } from '../../support/deadline.ts';
import { config } from '../../unit/primary/fixtures/config.ts';
import { workerStart } from '../../unit/worker/fixtures/worker-start.ts';

/** Events that the tap of a session or tunnel received. */
export interface TapNotes {
  readonly facts: TappedSession | TappedTunnel;
  readonly calls: readonly string[];
  readonly fromClient: Uint8Array;
  readonly fromEndpoint: Uint8Array;
  readonly end: TappedEnd | TappedTunnelEnd;
}

export class TappedWorker {
  /** Of sessions and tunnels that have ended. */
  readonly notes = new Arrivals<TapNotes>('the notes of a tap');
  readonly #listeners: Config['listeners'];
  readonly #thread: Worker;

  private constructor(listeners: Config['listeners'], thread: Worker) {
    this.#listeners = listeners;
    this.#thread = thread;
    thread.on('message', (notes: TapNotes) => this.notes.push(notes));
  }

  /** Starts a worker whose listeners lead to one endpoint. */
  static async start(
    kind: WorkerKind,
    listeners: Config['listeners'],
    endpoint: string,
  ): Promise<TappedWorker> {
    const address = parseTcpAddress(endpoint)!;
    const endpoints = [{ address, weight: 1, maxConnections: 0 }];
    const clusters = [{ ...config.clusters[0]!, connectTimeoutMs: 20_000, endpoints }];
    const names = listeners.map(({ name }) => name);
    const { port1, port2 } = new MessageChannel();
    const start = workerStart(
      kind,
      { ...config, listeners, clusters },
      {
        port: port2,
        lineWindows: new Map(names.map((name) => [name, allocateLineWindow()])),
        ticketKeys: new Map(names.map((name) => [name, newTicketKeys()])),
      },
    );
    const thread = new Worker(new URL('./fixtures/tapped-thread.ts', import.meta.url), {
      workerData: { start },
      transferList: [port2],
    });
    const listening = new Promise<void>((resolve, reject) => {
      thread.once('error', reject);
      port1.on('message', ({ type }: FromWorker) => {
        if (type === 'listening') resolve();
      });
    });
    await within('the worker to listen', listening);
    port1.unref();
    return new TappedWorker(listeners, thread);
  }

  address(listener: string): string {
    return formatAddress(this.#listeners.find(({ name }) => name === listener)!.address);
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}

function newTicketKeys(): SharedArrayBuffer {
  const memory = allocateTicketKeys();
  new TicketKeyRing(memory).replace([randomBytes(TICKET_KEY_BYTES)]);
  return memory;
}
