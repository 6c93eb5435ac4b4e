import type { LimitSettings } from '../../config/types/limits.ts';
import type { Listener } from '../../config/types/listener.ts';
import { ticksFor } from '../../access/limits/table/bucket.ts';
import { allocateTable, RATE_KINDS, type TableShape } from '../../access/limits/table/table-layout.ts';
import { TableSweep } from '../../access/limits/table/table-sweep.ts';
import { processClock } from '../../core/timing/process-clock.ts';
import { tableName } from '../../protocol/limit-tables.ts';

/** One limit of the configuration, with its table. */
export interface LimitTableEntry {
  readonly listener: string;
  readonly settings: LimitSettings;
  readonly memory: SharedArrayBuffer;
  readonly sweep: TableSweep;
  /** Limits of two configurations share a table if their identities are equal. */
  readonly identity: string;
}

/** A prepared change to another configuration's limits. */
interface LimitPlan {
  /** Memory of each limit's table, by {@link tableName}. */
  readonly memories: ReadonlyMap<string, SharedArrayBuffer>;
  /** Makes the tables current. */
  readonly commit: () => void;
}

/** A monotonic clock in milliseconds that all threads share, and a timer. Tests inject fakes. */
interface Clock {
  readonly now: () => number;
  /** Calls a function periodically, without keeping the process alive. */
  readonly repeat: (run: () => void, ms: number) => void;
}

/** Period of the sweeps. Each sweeps a sixtieth of each table. */
const SWEEP_PERIOD_MS = 1000;

/**
 * The tables of all limits. All workers share them. A limit keeps its table over reloads as long as its
 * listener, route, name and key stay. New numbers thus do not reset all clients. If the table's size or time
 * scale changes, a new table starts empty.
 */
export class LimitTables {
  readonly #clock: Clock;
  #entries: ReadonlyMap<string, LimitTableEntry> = new Map();
  #lastNumber = 0;

  constructor(
    listeners: readonly Listener[],
    clock: Clock = { now: processClock(), repeat: (run, ms) => setInterval(run, ms).unref() },
  ) {
    this.#clock = clock;
    this.plan(listeners).commit();
    clock.repeat(() => this.#sweep(), SWEEP_PERIOD_MS);
  }

  /** The limits of the current configuration. */
  get entries(): readonly LimitTableEntry[] {
    return [...this.#entries.values()];
  }

  /** Memory of the current configuration's tables, by {@link tableName}. */
  get memories(): ReadonlyMap<string, SharedArrayBuffer> {
    return memoriesOf(this.#entries);
  }

  /** Prepares the tables of another configuration. Nothing changes before the plan's commit. */
  plan(listeners: readonly Listener[]): LimitPlan {
    const next = new Map<string, LimitTableEntry>();
    for (const { listener, route, settings } of limitsOf(listeners)) {
      const shape = shapeOf(settings);
      const identity = JSON.stringify([route, settings.key, shape]);
      const name = tableName(listener, settings.name);
      const known = this.#entries.get(name);
      if (known?.identity === identity) next.set(name, { ...known, settings });
      else {
        const memory = allocateTable(++this.#lastNumber, shape);
        next.set(name, {
          listener,
          settings,
          memory,
          sweep: new TableSweep(memory, this.#clock.now),
          identity,
        });
      }
    }
    return { memories: memoriesOf(next), commit: () => (this.#entries = next) };
  }

  #sweep(): void {
    for (const { sweep } of this.#entries.values()) sweep.step();
  }
}

/** A limit with its listener and route. The route is null for limits of the listener itself. */
interface PlacedLimit {
  readonly listener: string;
  readonly route: string | null;
  readonly settings: LimitSettings;
}

function limitsOf(listeners: readonly Listener[]): PlacedLimit[] {
  return listeners.flatMap((listener) => {
    const place = (route: string | null) => (settings: LimitSettings) => ({
      listener: listener.name,
      route,
      settings,
    });
    const limits = listener.limits.map(place(null));
    if (listener.mode === 'l4') return limits;
    for (const route of listener.routes) {
      if (route.limits.length > 0) limits.push(...route.limits.map(place(route.name)));
    }
    return limits;
  });
}

function shapeOf(settings: LimitSettings): TableShape {
  const ticks = RATE_KINDS.map((kind) => ticksFor(settings[kind]));
  return { maxKeys: settings.maxKeys, ticks, isShared: settings.isShared };
}

function memoriesOf(entries: ReadonlyMap<string, LimitTableEntry>): ReadonlyMap<string, SharedArrayBuffer> {
  return new Map(Array.from(entries, ([name, { memory }]) => [name, memory]));
}
