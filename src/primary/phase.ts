import type { ReloadResult } from '../protocol/admin/answers.ts';

/** How the primary ends. */
export interface EndOrder {
  readonly graceMs: number;
  /** Whether another process has already taken over. */
  readonly handOver: boolean;
}

/** Requests that the primary answers at any time, before and after its parts are built. */
export interface Phase {
  reload(cause: string): Promise<ReloadResult>;
  /** Ends everything that was started: see `Primary.end`. */
  end(order: EndOrder): Promise<boolean>;
  /** Names of the workers that have not ended, except stuck ones. */
  readonly workers: readonly string[];
  /** Number of stuck workers' threads that have not ended. */
  readonly leftBehind: number;
  /** Why the process should be replaced; null if it serves, starts or drains. */
  readonly unhealthy: string | null;
}
