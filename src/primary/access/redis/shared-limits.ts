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
  /** The limits of the configuration in use. */
  readonly entries: () => readonly LimitEntry[];
  readonly settings: Pick<RedisSettings, 'prefix' | 'onFailure'>;
  readonly link: Pick<RedisLink, 'send' | 'isUp'>;
  readonly log: Logger;
  readonly clock?: () => number;
}

/** A limit that is in use, and what it was made for. */
interface OpenTable {
  readonly entry: LimitEntry;
  readonly table: SharedTable;
  readonly sync: TableSync;
}

/** Connections of a process that has not been heard of for this long do not count. */
const LEASE_MS = 10_000;
const RENEW_MS = 3000;
/** After this time without Redis, limits refuse if the settings say so. */
const REFUSE_AFTER_MS = 2000;

/** Counts the shared limits of all listeners in Redis: in rounds, so that no request waits for it. */
export class SharedLimits {
  /** Seconds that the last round has taken; 0 before the first. */
  lastRoundSeconds = 0;
  readonly #parts: SharedLimitsParts;
  readonly #clock: () => number;
  readonly #process = randomBytes(8).toString('hex');
  readonly #problems = new LineLimit();
  readonly #timer: NodeJS.Timeout;
  #tables: ReadonlyMap<SharedArrayBuffer, OpenTable> = new Map();
  /** Whether the last round has succeeded. */
  #isCounting = false;
  /** When the last round succeeded; the start of this object before the first. */
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

  /** Whether the limits are counted over all machines now. */
  get isCounting(): boolean {
    return this.#isCounting;
  }

  /** Keys that Redis is told of. */
  get keys(): number {
    let sum = 0;
    for (const { sync } of this.#tables.values()) sum += sync.size;
    return sum;
  }

  /**
   * Lets the limits count in this process alone, and ends its lease in Redis.
   *
   * @returns resolves when Redis has answered, or cannot be asked. The link must stay open until then.
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

  /** Tells Redis what was taken, if it can be asked. Called by a timer; rounds do not overlap. */
  async round(): Promise<void> {
    if (this.#isBusy || this.#hasStopped()) return;
    this.#isBusy = true;
    try {
      this.#openTables();
      for (const { sync } of this.#tables.values()) sync.look();
      await this.#exchange();
    } finally {
      this.#isBusy = false;
    }
    if (!this.#hasStopped()) this.#applyFailure();
  }

  /** Whether the limits have been stopped, which may happen during a round. */
  #hasStopped(): boolean {
    return this.#isStopped;
  }

  async #exchange(): Promise<void> {
    const { link } = this.#parts;
    if (!link.isUp) {
      this.#lose();
      return;
    }
    const startedAt = this.#clock();
    try {
      // In one flight: a round takes as long as the way to Redis and back. Redis renews first.
      await allOf([this.#renew(startedAt), ...Array.from(this.#tables.values(), ({ sync }) => sync.tell())]);
      this.#isCounting = true;
      this.#succeededAt = this.#clock();
      this.lastRoundSeconds = (this.#succeededAt - startedAt) / 1000;
    } catch (error) {
      this.#complain(error);
      this.#lose();
    }
  }

  /** Logs an error, unless the link has told that Redis is away. */
  #complain(error: unknown): void {
    const { link, log } = this.#parts;
    const more = link.isUp ? this.#problems.take() : null;
    const reason = messageOf(error);
    if (more !== null) log.error({ reason, ...more }, 'shared limits cannot be counted in Redis');
  }

  async #renew(now: number): Promise<void> {
    if (this.#isCounting && now < this.#renewAt) return;
    const { link, settings } = this.#parts;
    const held = await run(link, RENEW, [processesKey(settings.prefix)], [this.#process, LEASE_MS]);
    this.#renewAt = now + RENEW_MS;
    if (held !== 1) for (const { sync } of this.#tables.values()) sync.tellAllHeld();
  }

  #lose(): void {
    this.#isCounting = false;
    for (const { sync } of this.#tables.values()) sync.lose();
  }

  #applyFailure(): void {
    const awayMs = this.#isCounting ? 0 : this.#clock() - this.#succeededAt;
    const refuses = this.#parts.settings.onFailure === 'refuse' && awayMs > REFUSE_AFTER_MS;
    for (const { table, sync } of this.#tables.values()) {
      table.refuses = refuses;
      if (awayMs > LEASE_MS) sync.forgetElsewhere();
    }
  }

  /** Opens tables of limits that are new, and drops those of others. */
  #openTables(): void {
    const next = new Map<SharedArrayBuffer, OpenTable>();
    for (const entry of this.#parts.entries()) {
      if (!entry.settings.isShared) continue;
      const known = this.#tables.get(entry.memory);
      // A reload brings equal settings in another object.
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
