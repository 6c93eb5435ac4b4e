import { createHash } from 'node:crypto';
import type { SharedKey, SharedTable } from '../../../access/limits/table/shared-table.ts';
import { RATE_KINDS, type RateKind } from '../../../access/limits/table/table-layout.ts';
import type { LimitSettings } from '../../../config/types/limits.ts';
import type { RedisLink } from './redis-link.ts';
import { HOLD, numbersOf, run, TAKE } from './scripts.ts';
import { SharedBucket, type BucketClaim } from './shared-bucket.ts';

/** State shared by all tables of a process. */
interface SyncParts {
  readonly link: Pick<RedisLink, 'send'>;
  /** Prefix of all keys in Redis. */
  readonly prefix: string;
  /** The name of the process in leases. */
  readonly process: string;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** One limit of the configuration. */
export interface SharedLimit {
  readonly listener: string;
  readonly settings: LimitSettings;
}

/** A key that was used recently or has connections. */
interface KeyRecord {
  readonly key: SharedKey;
  /** In the order of {@link RATE_KINDS}; null for rates that the limit lacks. */
  readonly buckets: readonly (SharedBucket | null)[];
  /** Units not yet reported to Redis, by rate. */
  readonly unreported: number[];
  usedAt: number;
  /** Connections of this process, as last stored in Redis. */
  held: number;
  /** True if Redis may not know {@link held}. */
  isHeldUnknown: boolean;
  elsewhere: number;
}

/** Usual time between two rounds. */
export const PERIOD_MS = 200;
/** Max keys per script call. Redis does nothing else during a call, which takes about a millisecond. */
const MAX_BATCH_KEYS = 500;
/** Max keys of a limit per round. The rest wait for the next round. */
const MAX_ROUND_KEYS = 5000;
/** Max unchanged keys of a limit per round whose connections are refreshed. */
const MAX_REFRESHED_KEYS = 200;
/** A key used within this time is synchronized in each round, because other processes may use it. */
const WATCHED_MS = 2000;

/** Reports to Redis what this process took from one limit, and to the table what others took. */
export class TableSync {
  readonly #limit: SharedLimit;
  readonly #table: SharedTable;
  readonly #parts: SyncParts;
  readonly #records = new Map<string, KeyRecord>();
  /** Keys to report, in order. */
  readonly #due = new Set<KeyRecord>();
  readonly #ids: readonly string[];
  readonly #heldId: string;
  #refreshed: Iterator<KeyRecord> | null = null;
  #isStopped = false;

  constructor(limit: SharedLimit, table: SharedTable, parts: SyncParts) {
    this.#limit = limit;
    this.#table = table;
    this.#parts = parts;
    this.#ids = RATE_KINDS.map((kind) => idOf(limit, kind));
    this.#heldId = idOf(limit, 'connections');
    if (limit.settings.connections === null) return;
    table.visitHeld((key) => {
      const record = this.#recordOf(key);
      record.isHeldUnknown = true;
      this.#due.add(record);
    });
  }

  /** Number of keys with a record. */
  get size(): number {
    return this.#records.size;
  }

  /**
   * Collects the keys that were used, and drops unused records. Called in each round, even while Redis is
   * down.
   */
  collectUsed(): void {
    const now = this.#parts.clock();
    this.#table.visitUsed((key) => {
      const record = this.#recordOf(key);
      record.usedAt = now;
      // While Redis is down, nothing leaves the set.
      if (this.#due.size < this.#limit.settings.maxKeys) this.#due.add(record);
    });
    for (const record of this.#records.values()) {
      if (this.#due.has(record)) continue;
      const isRecent = now - record.usedAt < WATCHED_MS;
      if (isRecent && record.buckets.some((bucket) => bucket?.isUsed(now) === true)) this.#due.add(record);
      else if (!isRecent && !isHeld(record)) this.#records.delete(record.key.hex);
    }
  }

  /** Reports the due keys to Redis. Rejects if that fails. Unreported units are reported later. */
  async report(): Promise<void> {
    const due: KeyRecord[] = [];
    for (const record of this.#due) {
      if (due.length === MAX_ROUND_KEYS) break;
      due.push(record);
      this.#due.delete(record);
    }
    const calls: Promise<void>[] = [];
    for (const [rate, kind] of RATE_KINDS.entries()) {
      if (this.#limit.settings[kind] === null) continue;
      for (const batch of batchesOf(due)) calls.push(this.#take(rate, batch));
    }
    if (this.#limit.settings.connections !== null) {
      for (const batch of batchesOf(this.#withRefreshed(due))) calls.push(this.#hold(batch));
    }
    await allOf(calls);
  }

  /** Marks Redis as down. Units taken from now on are merged later. */
  markRedisDown(): void {
    for (const record of this.#records.values()) for (const bucket of record.buckets) bucket?.markRedisDown();
  }

  /** Reports all connections again, because Redis has lost them. */
  reportAllHeld(): void {
    for (const record of this.#records.values()) {
      record.isHeldUnknown = true;
      this.#due.add(record);
    }
  }

  /** Drops the limit. Removes this process's connections from Redis if it is up. */
  release(): void {
    this.forgetElsewhere();
    const { link, prefix, process } = this.#parts;
    const held = [...this.#records.values()].filter((record) => record.held > 0 || record.isHeldUnknown);
    for (const batch of batchesOf(held)) {
      const keys = batch.map(({ key }) => this.#keyOf(this.#heldId, key));
      const none = batch.map(() => 0);
      run(link, HOLD, [processesKey(prefix), ...keys], [process, ...none]).catch(() => undefined);
    }
  }

  /** Stops using the counts of other processes, including those of pending answers. */
  stop(): void {
    this.#isStopped = true;
    this.forgetElsewhere();
  }

  /** Resets the connections of other processes: their leases have ended or are unknown. */
  forgetElsewhere(): void {
    for (const record of this.#records.values()) this.#setElsewhere(record, 0);
  }

  #recordOf(key: SharedKey): KeyRecord {
    let record = this.#records.get(key.hex);
    if (record === undefined) {
      const { settings } = this.#limit;
      const buckets = RATE_KINDS.map((kind) => {
        const rate = settings[kind];
        return rate === null ? null : new SharedBucket((rate.burst * 1e6) / rate.perSecond);
      });
      const unreported = RATE_KINDS.map(() => 0);
      record = { key, buckets, unreported, usedAt: 0, held: 0, isHeldUnknown: false, elsewhere: 0 };
      this.#records.set(key.hex, record);
    }
    return record;
  }

  async #take(rate: number, records: readonly KeyRecord[]): Promise<void> {
    const now = this.#parts.clock();
    const claims: BucketClaim[] = [];
    const levels: number[] = [];
    const units: number[] = [];
    for (const record of records) {
      const { taken, level } = this.#read(record, rate);
      units.push(taken);
      levels.push(level);
      claims.push(record.buckets[rate]!.claim(taken * this.#costOf(rate), level, now, PERIOD_MS));
    }
    const keys = records.map(({ key }) => this.#keyOf(this.#ids[rate]!, key));
    const args = claims.flatMap(({ cost, over, known, ceiling }) => [cost, over, known, ceiling]);
    const { maxLevel } = records[0]!.buckets[rate]!;
    try {
      const answer = numbersOf(await run(this.#parts.link, TAKE, keys, [maxLevel, ...args]), keys.length);
      const heardAt = this.#parts.clock();
      for (const [index, record] of records.entries()) {
        const target = record.buckets[rate]!.answer(answer[index]!, now, heardAt);
        this.#shift(record, rate, target - levels[index]!);
      }
    } catch (error) {
      for (const [index, record] of records.entries()) {
        record.unreported[rate]! += units[index]!;
        record.buckets[rate]!.markRedisDown();
        this.#due.add(record);
      }
      throw error;
    }
  }

  async #hold(records: readonly KeyRecord[]): Promise<void> {
    const { process, prefix, link } = this.#parts;
    const held = records.map((record) => this.#connectionsOf(record));
    const keys = records.map(({ key }) => this.#keyOf(this.#heldId, key));
    for (const record of records) record.isHeldUnknown = true;
    const answer = await run(link, HOLD, [processesKey(prefix), ...keys], [process, ...held]);
    const sums = numbersOf(answer, keys.length);
    for (const [index, record] of records.entries()) {
      record.held = held[index]!;
      record.isHeldUnknown = false;
      if (!this.#isStopped) this.#setElsewhere(record, sums[index]!);
    }
  }

  /**
   * Adds keys whose connections have not changed here but may have changed elsewhere. Each round takes the
   * next few.
   */
  #withRefreshed(due: readonly KeyRecord[]): KeyRecord[] {
    const chosen = new Set(due);
    const end = chosen.size + MAX_REFRESHED_KEYS;
    for (
      let looks = Math.min(this.#records.size, MAX_REFRESHED_KEYS * 4);
      looks > 0 && chosen.size < end;
      looks--
    ) {
      const record = this.#nextRecord();
      if (record === null) break;
      if (isHeld(record)) chosen.add(record);
    }
    return [...chosen];
  }

  #nextRecord(): KeyRecord | null {
    for (let tries = 0; tries < 2; tries++) {
      this.#refreshed ??= this.#records.values();
      const next = this.#refreshed.next();
      if (next.done !== true) return next.value;
      this.#refreshed = null;
    }
    return null;
  }

  /** Reads the units taken, and the bucket's level in microseconds. */
  #read(record: KeyRecord, rate: number): { readonly taken: number; readonly level: number } {
    let taken = record.unreported[rate]!;
    let level = 0;
    record.unreported[rate] = 0;
    if (this.#table.open(record.key)) {
      taken += this.#table.taken(rate);
      level = this.#table.level(rate);
      this.#table.close();
    }
    return { taken, level };
  }

  #shift({ key }: KeyRecord, rate: number, us: number): void {
    if (!this.#table.open(key)) return;
    this.#table.shift(rate, us);
    this.#table.close();
  }

  #connectionsOf({ key }: KeyRecord): number {
    if (!this.#table.open(key)) return 0;
    const { connections } = this.#table;
    this.#table.close();
    return connections;
  }

  #setElsewhere(record: KeyRecord, connections: number): void {
    if (record.elsewhere === 0 && connections === 0) return;
    record.elsewhere = connections;
    if (!this.#table.open(record.key)) return;
    this.#table.elsewhere = connections;
    this.#table.close();
  }

  /** Returns the refill time of one unit, in microseconds. */
  #costOf(rate: number): number {
    return 1e6 / this.#limit.settings[RATE_KINDS[rate]!]!.perSecond;
  }

  #keyOf(id: string, { hex }: SharedKey): string {
    return `${this.#parts.prefix}:limit:${id}:${hex}`;
  }
}

function isHeld({ held, elsewhere, isHeldUnknown }: KeyRecord): boolean {
  return held > 0 || elsewhere > 0 || isHeldUnknown;
}

/** Returns the key of the set of processes. */
export function processesKey(prefix: string): string {
  return `${prefix}:processes`;
}

/**
 * Returns an id of a counter. It covers all settings on which machines must agree, so different settings
 * count separately.
 */
function idOf({ listener, settings }: SharedLimit, what: 'connections' | RateKind): string {
  const facts = JSON.stringify([listener, settings.name, settings.key, what, settings[what]]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 16);
}

function batchesOf<T>(items: readonly T[]): T[][] {
  const batches: T[][] = [];
  for (let at = 0; at < items.length; at += MAX_BATCH_KEYS)
    batches.push(items.slice(at, at + MAX_BATCH_KEYS));
  return batches;
}

/** Waits for all calls. Then rejects with the first error, if any. */
export async function allOf(calls: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(calls);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
