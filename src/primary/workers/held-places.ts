import { HoldLedger } from '../../access/limits/table/hold-ledger.ts';
import { TableLayout } from '../../access/limits/table/table-layout.ts';
import type { LimitLedgerReport } from '../../protocol/limit-tables.ts';

/** The places in tables of limits that the running task of one worker holds. */
export class HeldPlaces {
  readonly #reports: LimitLedgerReport[] = [];

  /** Takes a report of the running task. */
  add(report: LimitLedgerReport): void {
    this.#reports.push(report);
  }

  /** Gives back what the task has held, because it has ended. */
  giveBack(): void {
    for (const { table, ledger } of this.#reports.splice(0)) {
      const layout = new TableLayout(table);
      new HoldLedger(layout, ledger).giveBack(layout);
    }
  }
}
