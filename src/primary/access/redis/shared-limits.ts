import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { SharedTable } from '../../../access/limits/table/shared-table.ts';
import type { RedisSettings } from '../../../config/types/limits.ts';
import { processClock } from '../../../core/timing/process-clock.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { messageOf } from '../../../core/errors.ts';
import { LineLimit } from '../../../telemetry/line-limit.ts';
import type { RedisLink } from './redis-link.ts';
import { RENEW, run } from './scripts.ts';
import { allOf, PERIOD_MS, processesKey, TableSync, type SharedLimit } from './table-sync.ts';

/** A limit and its table. */
export interface LimitEntry extends SharedLimit {
  readonly memory: SharedArrayBuffer;
}

interface SharedLimitsParts {
  /** Returns the limits of the current configuration. */
  readonly entries: () => readonly LimitEntry[];
  readonly settings: Pick<RedisSettings, 'prefix' | 'onFailure'>;
  readonly link: Pick<RedisLink, 'send' | 'isUp'>;
  readonly log: Logger;
  readonly clock?: () => number;
}

/** A limit with its open table. */
interface OpenTable {
  readonly entry: LimitEntry;
  readonly table: SharedTable;
  readonly sync: TableSync;
}

/** Connections of a process that has been silent for this long do not count. */
const LEASE_MS = 10_000;
const RENEW_MS = 3000;
/** After this time without Redis, limits refuse if `onFailure` is `refuse`. */
const REFUSE_AFTER_MS = 2000;

/** Counts the shared limits of all listeners in Redis. It works in rounds, so no request waits for Redis. */
export class SharedLimits {
  /** Duration of the last round in seconds; 0 before the first. */
  lastRoundSeconds = 0;
  readonly #parts: SharedLimitsParts;
  readonly #clock: () => number;
  readonly #process = randomBytes(8).toString('hex');
  readonly #problems = new LineLimit();
  readonly #timer: NodeJS.Timeout;
  #tables: ReadonlyMap<SharedArrayBuffer, OpenTable> = new Map();
  /** Whether the last round succeeded. */
  #isCounting = false;
  /** When the last round succeeded. Before the first success, when this object was created. */
  #succeededAt: number;
  #renewAt = 0;
  #isBusy = false;
  #isStopped = false;

  constructor(parts: SharedLimitsParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? processClock();
    this.#succeededAt = this.#clock();
    this.#timer = setInterval(() => void this.round(), PERIOD_MS);
    this.#timer.unref();
  }

  /** Whether the limits count over all machines now. */
  get isCounting(): boolean {
    return this.#isCounting;
  }

  /** Number of keys that this process keeps in step with Redis. */
  get keys(): number {
    let sum = 0;
    for (const { sync } of this.#tables.values()) sum += sync.size;
    return sum;
  }

  /**
   * Stops sharing: limits count in this process only. Ends the lease in Redis.
   *
   * @returns resolves when Redis has answered or is down. The link must stay open until then.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    for (const { sync, table } of this.#tables.values()) {
      sync.stop();
      table.refuses = false;
    }
    const { link, settings } = this.#parts;
    if (!link.isUp) return;
    await link.send(['ZREM', processesKey(settings.prefix), this.#process]).catch(() => undefined);
  }

  /** Exchanges counts with Redis if it is up. Called by a timer. Rounds do not overlap. */
  async round(): Promise<void> {
    if (this.#isBusy || this.#hasStopped()) return;
    this.#isBusy = true;
    try {
      this.#openTables();
      for (const { sync } of this.#tables.values()) sync.collectUsed();
      await this.#exchange();
    } finally {
      this.#isBusy = false;
    }
    if (!this.#hasStopped()) this.#applyFailure();
  }

  /** Whether {@link stop} was called, possibly during a round. */
  #hasStopped(): boolean {
    return this.#isStopped;
  }

  async #exchange(): Promise<void> {
    const { link } = this.#parts;
    if (!link.isUp) {
      this.#markRedisDown();
      return;
    }
    const startedAt = this.#clock();
    try {
      // Commands are pipelined: a round takes one round trip. Redis runs the renewal first.
      await allOf([
        this.#renew(startedAt),
        ...Array.from(this.#tables.values(), ({ sync }) => sync.report()),
      ]);
      this.#isCounting = true;
      this.#succeededAt = this.#clock();
      this.lastRoundSeconds = (this.#succeededAt - startedAt) / 1000;
    } catch (error) {
      this.#complain(error);
      this.#markRedisDown();
    }
  }

  /** Logs an error, unless the link has already logged that Redis is down. */
  #complain(error: unknown): void {
    const { link, log } = this.#parts;
    const more = link.isUp ? this.#problems.take() : null;
    const reason = messageOf(error);
    if (more !== null) log.error({ reason, ...more }, 'counting shared limits in Redis failed');
  }

  async #renew(now: number): Promise<void> {
    if (this.#isCounting && now < this.#renewAt) return;
    const { link, settings } = this.#parts;
    const held = await run(link, RENEW, [processesKey(settings.prefix)], [this.#process, LEASE_MS]);
    this.#renewAt = now + RENEW_MS;
    if (held !== 1) for (const { sync } of this.#tables.values()) sync.reportAllHeld();
  }

  #markRedisDown(): void {
    this.#isCounting = false;
    for (const { sync } of this.#tables.values()) sync.markRedisDown();
  }

  #applyFailure(): void {
    const awayMs = this.#isCounting ? 0 : this.#clock() - this.#succeededAt;
    const refuses = this.#parts.settings.onFailure === 'refuse' && awayMs > REFUSE_AFTER_MS;
    for (const { table, sync } of this.#tables.values()) {
      table.refuses = refuses;
      if (awayMs > LEASE_MS) sync.forgetElsewhere();
    }
  }

  /** Opens the tables of new limits, and releases the tables of removed ones. */
  #openTables(): void {
    const next = new Map<SharedArrayBuffer, OpenTable>();
    for (const entry of this.#parts.entries()) {
      if (!entry.settings.isShared) continue;
      const known = this.#tables.get(entry.memory);
      // A reload creates new objects for equal settings.
      const isSame = known !== undefined && isDeepStrictEqual(known.entry.settings, entry.settings);
      next.set(entry.memory, isSame ? known : this.#open(entry));
    }
    for (const [memory, open] of this.#tables) if (next.get(memory) !== open) open.sync.release();
    this.#tables = next;
  }

  #open(entry: LimitEntry): OpenTable {
    const { link, settings } = this.#parts;
    const table = new SharedTable(entry.memory, this.#clock);
    const { prefix } = settings;
    const sync = new TableSync(entry, table, { link, prefix, process: this.#process, clock: this.#clock });
    return { entry, table, sync };
  }
}
