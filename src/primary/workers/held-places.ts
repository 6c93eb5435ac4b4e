import { HoldLedger } from '../../access/limits/table/hold-ledger.ts';
import { TableLayout } from '../../access/limits/table/table-layout.ts';
import type { LimitLedgerReport } from '../../protocol/limit-tables.ts';

/** Places in tables of limits that one worker's running task holds. */
export class HeldPlaces {
  readonly #tables: () => Iterable<SharedArrayBuffer>;
  #reports: readonly LimitLedgerReport[] = [];

  /** @param tables returns the memory of each table of the current configuration */
  constructor(tables: () => Iterable<SharedArrayBuffer>) {
    this.#tables = tables;
  }

  /** Number of tables in which the task may hold places. */
  get size(): number {
    return this.#reports.length;
  }

  /** Records the ledger that the running task reported. */
  add(report: LimitLedgerReport): void {
    this.#forgetReplaced();
    this.#reports = [...this.#reports, report];
  }

  /** Releases the places of a task that has ended. */
  releaseAll(): void {
    for (const { table, ledger } of this.#reports) {
      const layout = new TableLayout(table);
      new HoldLedger(layout, ledger).release(layout);
    }
    this.#reports = [];
  }

  /**
   * Drops the tables that a reload has replaced, because nobody takes places in them any more. Otherwise
   * their memory would stay until the worker ends. A table of a pending reload has a higher number than the
   * current ones.
   */
  #forgetReplaced(): void {
    const inUse = new Set(Array.from(this.#tables(), numberOf));
    const last = Math.max(...inUse);
    this.#reports = this.#reports.filter(({ table }) => {
      const number = numberOf(table);
      return inUse.has(number) || number > last;
    });
  }
}

function numberOf(table: SharedArrayBuffer): number {
  return new TableLayout(table).number;
}
