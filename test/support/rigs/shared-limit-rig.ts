/** Processes that share limits in Redis, as far as they count: each has a table and the primary's part. */
import { KeyedLimit } from '../../../src/access/limits/keyed-limit.ts';
import { LimitTable } from '../../../src/access/limits/table/limit-table.ts';
import { ticksFor } from '../../../src/access/limits/table/bucket.ts';
import { allocateTable, RATE_KINDS } from '../../../src/access/limits/table/table-layout.ts';
import type { LimitSettings } from '../../../src/config/types/limits.ts';
import { processClock } from '../../../src/core/timing/process-clock.ts';
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { RedisLink } from '../../../src/primary/access/redis/redis-link.ts';
import { SharedLimits } from '../../../src/primary/access/redis/shared-limits.ts';
import { createLogger } from '../../../src/telemetry/primary-logger.ts';
import { eventually } from '../deadline.ts';

const log = createLogger({ level: 'silent' }, { write: () => undefined });
let lastTable = 0;

export const SHARED_LIMIT: LimitSettings = {
  name: 'tenant',
  key: { kind: 'header', name: 'x-tenant' },
  connections: null,
  handshakes: null,
  requests: { perSecond: 100, burst: 10 },
  messages: null,
  bytes: null,
  over: 'close',
  isShared: true,
  maxKeys: 4096,
};

/** One process. */
export class Sharer {
  readonly shared: SharedLimits;
  readonly link: RedisLink;
  readonly #limit: KeyedLimit;

  constructor(url: string, settings: LimitSettings, onFailure: 'local' | 'refuse' = 'local') {
    const clock = processClock();
    const memory = allocateTable(++lastTable, {
      maxKeys: settings.maxKeys,
      ticks: RATE_KINDS.map((kind) => ticksFor(settings[kind])),
      isShared: true,
    });
    const table = new LimitTable(memory, clock);
    this.#limit = new KeyedLimit(settings, {
      table: () => table,
      counts: { refused: () => undefined, overflowed: () => undefined },
      wheel: new TimerWheel(performance.now()),
      clock,
    });
    const counts = { errors: { connect: 0, lost: 0, timeout: 0, reply: 0 } };
    this.link = new RedisLink({
      url,
      owner: { up: () => undefined, down: () => undefined },
      log,
      counts,
    });
    this.shared = new SharedLimits({
      entries: () => [{ listener: 'web', settings, memory }],
      settings: { prefix: 'test', onFailure },
      link: this.link,
      log,
    });
    this.link.start();
  }

  /** Waits until the limits are counted in Redis. */
  async counting(): Promise<void> {
    await eventually(() => {
      if (!this.shared.isCounting) throw new Error('the limits are not counted in Redis');
    });
  }

  /** Makes a request. Returns the status of a refusal; null if it is admitted. */
  request(key: string): number | null {
    const slot = this.#limit.pin(key);
    const refusal = this.#limit.take(slot, 'request');
    this.#limit.unpin(slot);
    return refusal?.status ?? null;
  }

  /** Opens a connection that stays. Returns a function that closes it; null if it is refused. */
  connect(key: string): (() => void) | null {
    const slot = this.#limit.pin(key);
    if (this.#limit.take(slot, 'handshake') !== null) {
      this.#limit.unpin(slot);
      return null;
    }
    return () => {
      this.#limit.disconnect(slot);
      this.#limit.unpin(slot);
    };
  }

  /** Stops cleanly. */
  async stop(): Promise<void> {
    await this.shared.stop();
    this.link.stop();
  }
}

/**
 * Makes requests at a steady pace.
 *
 * @param loads requests per second for each process
 * @param keyOf names the key of a request by its number
 * @returns the number of admitted requests for each process
 */
export async function load(
  loads: readonly { readonly sharer: Sharer; readonly perSecond: number }[],
  ms: number,
  keyOf: (number: number) => string = () => 'one',
): Promise<number[]> {
  const startedAt = performance.now();
  const made = loads.map(() => 0);
  const admitted = loads.map(() => 0);
  for (let passed = 0; passed < ms;) {
    await new Promise((settle) => setTimeout(settle, 2));
    passed = Math.min(performance.now() - startedAt, ms);
    for (const [index, { sharer, perSecond }] of loads.entries()) {
      for (; made[index]! < (passed * perSecond) / 1000; made[index]!++)
        if (sharer.request(keyOf(made[index]!)) === null) admitted[index]!++;
    }
  }
  return admitted;
}
