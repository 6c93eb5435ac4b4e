import { LimitSet } from '../../access/limits/limit-set.ts';
import { KeyedLimit, type LimitCounts } from '../../access/limits/keyed-limit.ts';
import { LimitTable } from '../../access/limits/table/limit-table.ts';
import { TableLayout } from '../../access/limits/table/table-layout.ts';
import type { LimitSettings } from '../../config/types/limits.ts';
import { processClock } from '../../core/timing/process-clock.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { FromWorker } from '../../protocol/from-worker.ts';
import { tableName } from '../../protocol/limit-tables.ts';
import { LIMIT_KINDS } from '../../telemetry/metrics/label-values.ts';
import { pageMetrics } from '../../telemetry/metrics/page-metrics.ts';
import type { StatsPage } from '../../telemetry/stats-page.ts';

/** Memory of the limits' tables, by `tableName`. */
type Memories = ReadonlyMap<string, SharedArrayBuffer>;

/** The open tables of a worker. All generations with a table share one object. */
class OpenTables {
  readonly clock = processClock();
  readonly wheel: TimerWheel;
  readonly #send: (message: FromWorker) => void;
  /** By the table's number. */
  #tables: ReadonlyMap<number, LimitTable> = new Map();

  constructor(wheel: TimerWheel, send: (message: FromWorker) => void) {
    this.wheel = wheel;
    this.#send = send;
  }

  /** Opens a table, and tells the primary where its holds are recorded. */
  open(memory: SharedArrayBuffer): LimitTable {
    const { number } = new TableLayout(memory);
    const known = this.#tables.get(number);
    if (known !== undefined) return known;
    const table = new LimitTable(memory, this.clock);
    // Must be sent before the first hold.
    this.#send({ type: 'limit_ledger', table: memory, ledger: table.ledger.memory });
    this.#tables = new Map([...this.#tables, [number, table]]);
    return table;
  }

  /** Drops tables that no generation has any more. Sessions may still use them. */
  keepOnly(memories: readonly Memories[]): void {
    const numbers = new Set(
      memories.flatMap((byName) => Array.from(byName.values(), (memory) => new TableLayout(memory).number)),
    );
    this.#tables = new Map([...this.#tables].filter(([number]) => numbers.has(number)));
  }
}

/** The limits of one generation in a worker. */
export class WorkerLimits {
  readonly #memories: Memories;
  readonly #page: StatsPage;
  readonly #tables: OpenTables;
  /** By `tableName`. */
  readonly #limits = new Map<string, KeyedLimit>();

  private constructor(memories: Memories, page: StatsPage, tables: OpenTables) {
    this.#memories = memories;
    this.#page = page;
    this.#tables = tables;
  }

  /** Creates the limits of a worker's first generation. */
  static first(
    memories: Memories,
    page: StatsPage,
    wheel: TimerWheel,
    send: (message: FromWorker) => void,
  ): WorkerLimits {
    return new WorkerLimits(memories, page, new OpenTables(wheel, send));
  }

  /** Creates the limits of another generation. */
  next(memories: Memories, page: StatsPage): WorkerLimits {
    this.#tables.keepOnly([this.#memories, memories]);
    return new WorkerLimits(memories, page, this.#tables);
  }

  /**
   * Creates the limit set of a listener or of one of its routes.
   *
   * @param settings the listener's limits, followed by the route's
   * @returns null without limits
   */
  guardFor(listener: string, settings: readonly LimitSettings[]): LimitSet | null {
    return settings.length === 0
      ? null
      : new LimitSet(settings.map((limit) => this.#limitOf(listener, limit)));
  }

  #limitOf(listener: string, settings: LimitSettings): KeyedLimit {
    const name = tableName(listener, settings.name);
    let limit = this.#limits.get(name);
    if (limit === undefined) {
      const memory = this.#memories.get(name);
      if (memory === undefined) throw new Error(`limit "${settings.name}" of "${listener}" has no table`);
      const { wheel, clock } = this.#tables;
      const counts = countsOf(this.#page, { listener, limit: settings.name });
      limit = new KeyedLimit(settings, { table: () => this.#tables.open(memory), counts, wheel, clock });
      this.#limits.set(name, limit);
    }
    return limit;
  }
}

function countsOf(
  page: StatsPage,
  labels: { readonly listener: string; readonly limit: string },
): LimitCounts {
  const { values } = page;
  const kinds = Object.fromEntries(
    LIMIT_KINDS.map((kind) => [kind, page.slot(pageMetrics.limitRefusals, { ...labels, kind })]),
  );
  const overflows = page.slot(pageMetrics.limitOverflows, labels);
  return {
    refused: (kind) => {
      values[kinds[kind]!]! += 1;
    },
    overflowed: () => {
      values[overflows]! += 1;
    },
  };
}
