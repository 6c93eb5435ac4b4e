import { HoldLedger } from '../../access/limits/table/hold-ledger.ts';
import { TableLayout } from '../../access/limits/table/table-layout.ts';
import type { LimitLedgerReport } from '../../protocol/limit-tables.ts';

/** The places in tables of limits that the running task of one worker holds. */
export class HeldPlaces {
  readonly #tables: () => Iterable<SharedArrayBuffer>;
  #reports: readonly LimitLedgerReport[] = [];

  /** @param tables returns the memory of each table of the configuration in use */
  constructor(tables: () => Iterable<SharedArrayBuffer>) {
    this.#tables = tables;
  }

  /** Number of tables in which the task may hold places. */
  get size(): number {
    return this.#reports.length;
  }

  /** Takes a report of the running task. */
  add(report: LimitLedgerReport): void {
    this.#forgetReplaced();
    this.#reports = [...this.#reports, report];
  }

  /** Gives back what the task has held, because it has ended. */
  giveBack(): void {
    for (const { table, ledger } of this.#reports) {
      const layout = new TableLayout(table);
      new HoldLedger(layout, ledger).giveBack(layout);
    }
    this.#reports = [];
  }

  /**
   * Forgets the tables that a reload has replaced, because nobody comes into them any more. Without this
   * their memory would stay until the worker ends. A table of a reload that is under way has a higher number
   * than those in use.
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
