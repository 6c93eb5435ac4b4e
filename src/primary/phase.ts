import type { ReloadResult } from '../protocol/admin/answers.ts';

/** How the primary ends. */
export interface EndOrder {
  readonly graceMs: number;
  /** Whether another process has taken over already. */
  readonly handOver: boolean;
}

/** Requests that the primary answers at any time, before its parts are built and after. */
export interface Phase {
  reload(cause: string): Promise<ReloadResult>;
  /** Ends what has been started; see `Primary.end`. */
  end(order: EndOrder): Promise<boolean>;
  /** The names of the workers that have not ended, stuck ones excluded. */
  readonly workers: readonly string[];
  /** Threads of stuck workers that have not ended. */
  readonly leftBehind: number;
  /** Why the process should be replaced; null if it serves, starts or drains. */
  readonly unwell: string | null;
}
