import { RandomPool } from '../core/random-pool.ts';
import { BufferBudget } from '../l7/buffer-budget.ts';
import { ConnectionPool } from '../l7/http/connection-pool.ts';
import { HEAD_SLAB_SIZE, HeadWriter } from '../l7/http/head-writer.ts';
import { L7Listener } from '../l7/listener.ts';
import { Outbox, SLAB_SIZE } from '../l7/outbox.ts';
import { netDialler } from '../l7/upstream/net-upstream.ts';
import { RawDialler } from '../l7/upstream/raw-upstream.ts';
import type { UpstreamDialler } from '../l7/upstream/upstream-socket.ts';
import { EventLoop } from '../loop/event-loop.ts';
import type { WorkerStart } from '../protocol/to-worker.ts';
import { PinnedBuffer } from '../sys/pinned-buffer.ts';
import { unsupportedReason } from '../sys/support.ts';
import { drained } from './drained.ts';
import type { Environment } from './environment.ts';
import type { Evictable } from './eviction.ts';
import { runService, type Service } from './service.ts';

/** After the last session, how long its close frame may take to reach a client before the connection is cut. */
const FLUSH_MS = 1000;
const REFRESH_MS = 1000;

type Slab = ConstructorParameters<typeof Outbox>[0];

/** The layer 7 worker's task: serves every `l7` listener of the configuration until drained. */
export default function serve(start: WorkerStart): Promise<void> {
  return runService(start, (environment) => new WebService(environment));
}

class WebService implements Service {
  readonly innerLoop: EventLoop | null;
  readonly #listeners: readonly L7Listener[];
  readonly #refresh: NodeJS.Timeout;
  readonly #pool: ConnectionPool;

  constructor(environment: Environment) {
    const { config, page, wheel, log } = environment;
    const budget = new BufferBudget(config.workers.bufferBudget / config.workers.l7, page);
    // Without system calls everything goes through Node's streams: slower, and no different otherwise.
    const reason = unsupportedReason();
    if (reason !== null) log.info({ reason }, 'system calls are not used');
    const loop = reason === null ? new EventLoop(wheel) : null;
    const dialler: UpstreamDialler = loop === null ? netDialler : new RawDialler(loop);
    this.innerLoop = loop;
    this.#pool = new ConnectionPool(wheel);
    const slab = (size: number): Slab =>
      loop === null ? { bytes: Buffer.allocUnsafeSlow(size), send: () => -1 } : new PinnedBuffer(size);
    const shared = {
      ...environment,
      dialler,
      outbox: new Outbox(slab(SLAB_SIZE), loop === null ? setImmediate : (callback) => loop.defer(callback)),
      heads: new HeadWriter(slab(HEAD_SLAB_SIZE)),
      pool: this.#pool,
      budget,
      random: new RandomPool(),
    };
    this.#listeners = config.listeners
      .filter((listener) => listener.mode === 'l7')
      .map((listener) => new L7Listener(listener, shared));
    this.#refresh = setInterval(() => budget.refresh(), REFRESH_MS);
  }

  async listen(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.listen()));
    this.innerLoop?.start();
  }

  async drain(graceMs: number): Promise<void> {
    for (const listener of this.#listeners) {
      listener.stop();
      listener.drain();
    }
    const end = performance.now() + graceMs;
    const left = (): number => Math.max(0, end - performance.now());
    await drained(() => this.#listeners.every((listener) => listener.active === 0), left());
    await drained(
      () => this.#listeners.every((listener) => listener.connections === 0),
      Math.min(FLUSH_MS, left()),
    );
  }

  connectionsOf(cluster: string, endpoint: string): Evictable[] {
    return this.#listeners.flatMap((listener) => listener.sessionsOf(cluster, endpoint));
  }

  abort(): void {
    clearInterval(this.#refresh);
    for (const listener of this.#listeners) listener.abort();
    this.#pool.close();
    this.innerLoop?.close();
  }
}
