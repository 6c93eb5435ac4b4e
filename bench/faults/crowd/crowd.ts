import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { createPool } from '../../driver/crew/crew.ts';
import { LivePage } from '../../driver/measuring/live-page.ts';
import type { Plan } from '../../options/plan.ts';
import type { CrowdLog, CrowdTask, ToCrowd } from './protocol.ts';

const THREAD = fileURLToPath(new URL('./thread.ts', import.meta.url));

export interface CrowdOptions {
  readonly protocol: 'ws' | 'wss';
  readonly port: number;
  readonly sessions: number;
  /** Messages of 32 bytes per second over all sessions. Each is timed from its due time. */
  readonly rate: number;
  /** Whether clients that lose their session reconnect. */
  readonly reopens: boolean;
}

/** The main thread's handle of clients in a separate thread. */
export class Crowd {
  readonly #page = new LivePage(1);
  readonly #port: MessagePort;
  readonly #pool: Piscina;
  readonly #log: Promise<CrowdLog>;
  readonly #size: number;

  private constructor(options: CrowdOptions) {
    this.#size = options.sessions;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#pool = createPool(THREAD, 1);
    const { reopens } = options;
    const task: CrowdTask = { plan: planOf(options), page: this.#page.buffer, port: port2, reopens };
    this.#log = this.#pool.run(task, { transferList: [port2] }) as Promise<CrowdLog>;
    // `leave` reports a rejection.
    this.#log.catch(() => undefined);
  }

  /**
   * Opens all sessions on 127.0.0.1.
   *
   * @throws Error if one of them does not open
   */
  static async gather(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options);
    await Promise.race([once(crowd.#port, 'message'), crowd.#log]);
    if (crowd.open < options.sessions) {
      const { failures } = await crowd.leave();
      const why = failures[0]?.kind ?? 'nothing said why';
      throw new Error(`of ${options.sessions} sessions ${failures.length} did not open: ${why}`);
    }
    return crowd;
  }

  /** Number of open sessions. */
  get open(): number {
    return this.#page.sum('open');
  }

  /** Number of requested sessions. */
  get size(): number {
    return this.#size;
  }

  /** Makes all clients drop their connections and reconnect at once. */
  storm(): void {
    this.#say({ type: 'storm' });
  }

  /** Ends the traffic, closes all sessions, and returns the events. */
  async leave(): Promise<CrowdLog> {
    this.#say({ type: 'stop' });
    try {
      return await this.#log;
    } finally {
      this.#port.close();
      await this.#pool.destroy();
    }
  }

  #say(message: ToCrowd): void {
    this.#port.postMessage(message);
  }
}

function planOf({ protocol, port, sessions, rate }: CrowdOptions): Plan {
  return {
    target: { protocol, host: '127.0.0.1', port, path: '/' },
    scenario: 'echo',
    connections: sessions,
    durationMs: 0,
    warmupMs: 0,
    rampMs: 0,
    timeoutMs: 20_000,
    inFlight: 16,
    sizes: { kind: 'fixed', size: 32 },
    rate,
    threads: 1,
    text: false,
    subprotocols: [],
    headers: [],
    insecure: true,
    resume: false,
    replay: null,
  };
}
