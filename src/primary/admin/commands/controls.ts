import type { DrainSettings } from '../../../config/types/config.ts';
import type { RevocationRow } from '../../../protocol/access.ts';
import type { ReloadResult } from '../../../protocol/admin/answers.ts';
import type { DrainStatus } from '../../../protocol/admin/status.ts';
import type { DrainScope } from '../../../protocol/to-worker.ts';

/** Changes of a running process that operators can request. */
export interface Controls {
  /** @param cause reason for the log */
  reload(cause: string): Promise<ReloadResult>;
  /** Settings of `drain` in the current configuration. */
  readonly drainSettings: DrainSettings;
  /** Whether the current configuration has the scope. */
  has(scope: DrainScope): boolean;
  /** Ends the connections of a scope at a pace. A rate of 0 ends none. */
  drain(scope: DrainScope, settings: DrainSettings): DrainStatus;
  /** Lets a scope take new work again. Returns false if it is not drained. */
  undrain(scope: DrainScope): boolean;
  /**
   * Sends the session ticket keys to the process that takes over.
   *
   * @param channel name of that process's `KeyReceiver`
   * @returns why they cannot be sent; null if that process has them
   */
  sendTicketKeys(channel: string): Promise<string | null>;
  /**
   * Leaves the addresses to another process, and ends when no connection is left.
   *
   * @param pid that process; null if it did not tell
   */
  handOver(pid: number | null): void;
  /** Revocations in force, for the process that takes over. */
  readonly revocations: readonly RevocationRow[];
  /** Leaves the file of revocations to the process that takes over. Resolves when the file is written. */
  releaseRevocations(): Promise<void>;
  /** Replaces a worker, or each worker in turn for null. Returns false if no worker has that name. */
  restart(worker: string | null): boolean;
}
